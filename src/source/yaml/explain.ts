import { isInvisible } from './characters.ts';
import { findEncodingSlip, lineEnd, lineNumber, type Slip, spaces } from './slip.ts';
import { findSlip } from './slips.ts';
import { parseYaml, type YamlProblem } from './tree.ts';

/** How many slips of one text are reported. */
const maxSlips = 100;

/** A text in which the slip is looked for without another look at whether the yaml package also finds one. */
const maxVerifiedLength = 200_000;

/**
 * Returns the problems of a text as a person would report them: each slip once, where it is, and nothing that only follows from it. `problems`
 * are those that the yaml package found.
 *
 * A text with errors in its syntax is read again in the parts that its lines suggest, its top-level entries and the entries of those. Slips in
 * different parts have nothing to do with each other, so that each part is reported, but only its first slip.
 */
export function explainProblems(text: string, problems: readonly YamlProblem[]): readonly YamlProblem[] {
  if (problems.length === 0) return problems;
  // Such characters are certain errors, and the others often follow from them.
  const characters = problems.filter(({ kind }) => kind === 'character');
  const encoding = findEncodingSlip(text);
  if (encoding) return [toProblem(encoding)];
  if (characters.length > 0) return characters;
  if (!problems.some(isSyntax)) return problems;
  // A slip can make the yaml package find levels that nobody wrote.
  const [head] = problems;
  if (head?.kind === 'limit') return [head];
  const whole = findWholeTextSlip(text);
  if (whole) return [toProblem(whole)];
  const slips: YamlProblem[] = [];
  const anchors = new Set([...text.matchAll(/&([^\s,[\]{}]+)/g)].map(([, name]) => name));
  for (const { start, end } of partsOf(text)) {
    const problem = explainPart(text.slice(start, end), anchors);
    if (problem && isTabInBrackets(text, slips, problem.start + start)) slips.pop();
    if (problem && !isLeftOver(text, slips, problem.start + start))
      slips.push({ ...problem, start: problem.start + start, end: problem.end + start });
    if (slips.length === maxSlips) break;
  }
  if (slips.length > 0) return slips;
  const slip = findSlip(text);
  if (slip) return [toProblem(slip)];
  const [first] = problems.filter(isSyntax);
  return first ? [first] : problems;
}

/** Returns whether a slip is a bracket that closes what the slip before it has opened. */
function isLeftOver(text: string, slips: readonly YamlProblem[], start: number): boolean {
  const last = slips.at(-1);
  return last !== undefined && ['{}', '[]'].includes(text.charAt(last.start) + text.charAt(start));
}

/** Returns whether a slip is a tab in the brackets that the slip before it has opened, and which only the tab leaves open. */
function isTabInBrackets(text: string, slips: readonly YamlProblem[], start: number): boolean {
  const last = slips.at(-1);
  return text.charAt(start) === '\t' && last !== undefined && '{['.includes(text.charAt(last.start)) && last.end === last.start + 1;
}

function isSyntax({ kind }: YamlProblem): boolean {
  return kind === 'syntax';
}

function toProblem(slip: Slip): YamlProblem {
  return { rule: 'yaml', kind: 'syntax', ...slip };
}

/** Returns what is wrong in a part of a text; `null` if nothing is, as far as the part shows it. */
function explainPart(part: string, anchors: ReadonlySet<string | undefined>): YamlProblem | null {
  if (part.length > maxVerifiedLength) {
    const slip = findSlip(part);
    if (slip) return toProblem(slip);
  }
  const problems = parseYaml(part).problems.filter(({ kind, start, end }) => kind !== 'alias' || !anchors.has(part.slice(start + 1, end)));
  const first = problems.find(isSyntax);
  if (!first) return problems.find(({ kind }) => kind === 'alias') ?? null;
  const slip = findSlip(part);
  return slip ? toProblem(slip) : first;
}

/** Returns the parts of a text: its top-level entries, and in their place the entries of those that have several. */
function partsOf(text: string): { readonly start: number; readonly end: number }[] {
  if (/^\s*[{[]/.test(text)) return [{ start: 0, end: text.length }];
  return split(text, 0, text.length, 0).flatMap((entry) => {
    const head = /^[^\s#"'&*!|>%@`{}[\],-][^\n]*?:[ \t]*(?:#[^\n]*)?\r?\n/.exec(
      text.slice(entry.start, Math.min(entry.end, entry.start + 300)),
    );
    if (!head) return [entry];
    const inner = entry.start + head[0].length;
    const indent = firstIndent(text, inner, entry.end);
    if (indent === 0 || text.startsWith('- ', inner + indent)) return [entry];
    const parts = split(text, inner, entry.end, indent);
    return isUniform(text, inner, entry.end, indent) ? parts : [entry];
  });
}

const bareKeyLine = /^ *[^\s#:][^:\n]*:[ \t]*\r?\n$/;

/** Returns the parts between lines that are indented by `indent` at most. */
function split(text: string, from: number, to: number, indent: number): { readonly start: number; readonly end: number }[] {
  const starts: number[] = [];
  for (const { start, indent: own } of contentLines(text, from, to)) {
    const isClosing = own === indent && '}]'.includes(text.charAt(start + own)) && own > 0;
    // A key with nothing below it may be the parent of the next one.
    const isBelowBareKey = own === indent && own > 0 && bareKeyLine.test(text.slice(starts.at(-1) ?? start, start));
    if ((own <= indent && !isClosing && !isBelowBareKey) || starts.length === 0) starts.push(start);
  }
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? to }));
}

function firstIndent(text: string, from: number, to: number): number {
  for (const { indent } of contentLines(text, from, to)) return indent;
  return 0;
}

/** Returns whether no line is indented less than the first. */
function isUniform(text: string, from: number, to: number, indent: number): boolean {
  for (const line of contentLines(text, from, to)) if (line.indent < indent) return false;
  return true;
}

function* contentLines(text: string, from: number, to: number): Generator<{ readonly start: number; readonly indent: number }> {
  for (let start = from; start < to; start = lineEnd(text, start) + 1) {
    let first = start;
    while (text.charAt(first) === ' ') first += 1;
    const char = text.charAt(first);
    if (first < to && char !== '\n' && char !== '\r' && char !== '#') yield { start, indent: first - start };
  }
}

/** Returns the slip that spoils a whole text, whatever its parts are. */
function findWholeTextSlip(text: string): Slip | null {
  const conflict = /^(?:<{7}|={7}|>{7}|\|{7})(?: .*)?$/m.exec(text);
  if (conflict)
    return findSlip(conflict[0]) && { ...(findSlip(conflict[0]) as Slip), start: conflict.index, end: conflict.index + conflict[0].length };
  const numbered = /^(\d+) {2,}\S+:(?:\s|$)/m.exec(text);
  if (numbered?.[1]) return { start: numbered.index, end: numbered.index + numbered[1].length, ...lineNumber };
  return findIndentedStart(text);
}

/** Returns the slip of a first key that is indented while later ones are not. */
function findIndentedStart(text: string): Slip | null {
  let first: { readonly start: number; readonly indent: number } | null = null;
  for (const line of contentLines(text, 0, text.length)) {
    if (first === null) first = line;
    if (first.indent === 0) return null;
    if (line.indent === 0) {
      const start = first.start + first.indent;
      const name = /^[^:\s]*/.exec(text.slice(start, lineEnd(text, start)))?.[0] ?? '';
      if (name === '' || isInvisible(name.charAt(0)) || name.startsWith('\t')) return null;
      const remove = first.indent === 1 ? 'the space' : `the ${spaces(first.indent)}`;
      return {
        start,
        end: start + name.length,
        message: `\`${name}\` is indented, but the top-level keys below it are not`,
        hint: `remove ${remove} before it`,
      };
    }
  }
  return null;
}
