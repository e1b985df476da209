/** The visible part of a comment. */
export interface ReadMarkdown {
  /** The rows of each table that is not folded, with code as displayed. */
  readonly open: readonly (readonly string[])[];
  readonly folded: readonly (readonly string[])[];
  /** All text outside of folded parts, with code as displayed. */
  readonly text: string;
}

/** Parses the output of `plan --format markdown`. Throws an Error if a line breaks a table, or contains HTML of its own. */
export function readMarkdown(markdown: string): ReadMarkdown {
  const read = { open: [] as string[][], folded: [] as string[][] };
  const text: string[] = [];
  let isFolded = false;
  let columns = 0;
  let isFenced = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (line === '```') isFenced = !isFenced;
    if (isFenced || line === '```') {
      text.push(line);
      continue;
    }
    if (index > 0) refuseHtml(line);
    if (line.startsWith('<details>')) {
      if (isFolded) throw new Error('a fold within a fold');
      isFolded = true;
    }
    if (line === '</details>') isFolded = false;
    if (line.startsWith('|')) {
      const cells = line.split('|').slice(1, -1);
      if (columns === 0) columns = cells.length;
      if (cells.length !== columns || !line.endsWith('|')) throw new Error(`a broken row: ${line}`);
      (isFolded ? read.folded : read.open).push(cells.map((cell) => asRead(cell.trim())));
    } else columns = 0;
    if (!isFolded) text.push(asRead(line));
  }
  if (isFolded) throw new Error('a fold that does not end');
  const rows = (found: string[][]): string[][] => found.filter(([first]) => first !== 'API' && !first?.startsWith('---'));
  return { open: rows(read.open), folded: rows(read.folded), text: text.join('\n') };
}

const known = /<details><summary>\d+ more<\/summary>|<\/details>|<\/?code>/g;

function refuseHtml(line: string): void {
  const bare = line.replace(/`[^`]*`/g, '').replace(known, '');
  if (/[<`]/.test(bare)) throw new Error(`HTML or code that nobody meant: ${line}`);
  if (/[@#](?=\w)/.test(bare.replace(/&#\d+;/g, ''))) throw new Error(`somebody is called: ${line}`);
}

/** Returns code and entities as displayed. */
function asRead(text: string): string {
  return text.replace(/`([^`]*)`|<code>(.*?)<\/code>/g, '$1$2').replace(/&#(\d+);/g, (_, number) => String.fromCodePoint(Number(number)));
}
