import type { DesiredState, RecordedPublication } from '../core/publication.ts';
import type { Explanation } from '../explanation.ts';
import { agoInWords, counted, driftInWords, durationInWords } from '../words/phrases.ts';
import { seenOf } from '../words/seen.ts';
import { columns } from './columns.ts';
import { conditionInWords } from './condition.ts';
import type { NextStep } from './next-step.ts';
import type { Paint } from './paint.ts';
import { frame } from './render-mistakes.ts';

/** A label and what there is to say; `null`: nothing. */
type Fact = readonly [label: string, value: string | null];

/** In sync is green, a failure red, what a person should look at yellow. */
const styles = {
  'in sync': 'green',
  'left alone': 'green',
  change: 'bold',
  failing: 'red',
  unresolved: 'yellow',
  held: 'yellow',
  waiting: 'yellow',
  drift: 'yellow',
  fight: 'yellow',
  stale: 'yellow',
} as const satisfies Record<NextStep['kind'], unknown>;

/** What all parts need to know. */
interface Told {
  readonly of: Explanation;
  readonly paint: Paint;
  readonly nowMs: number;
}

/** Returns an explanation for a person: from what is wanted over what is known to what comes next, which is where the eye ends. */
export function explanationText(of: Explanation, next: NextStep, paint: Paint, nowMs: number): string {
  const told = { of, paint, nowMs };
  const { api, apiId, environment, environmentId } = of.names;
  const id = (made: boolean, text: string): string => (made ? 'not looked up yet' : text);
  const parts = [
    [
      paint('bold', `${api} in ${environment}`),
      paint('dim', `API ${id(of.isMadeUp.api, apiId)}, environment ${id(of.isMadeUp.environment, environmentId)}`),
    ],
    wantedPart(told),
    recordedPart(told),
    gatewayPart(told),
    attemptsPart(told),
    nextPart(next, told),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function wantedPart({ of, paint }: Told): string[] {
  const { wanted, desired } = of;
  if (!wanted) return [title('File', 'does not name it', paint)];
  const { state, revision, remark, version, drift, source } = wanted.publication;
  const isProtected = desired.environments.get(of.names.environmentId)?.protected ?? false;
  const { line } = wanted;
  // The mark under a mistake is red, and this is none.
  const calm: Paint = (style, text) => paint(style === 'red' ? 'dim' : style, text);
  const shown = line === null ? [] : frame({ ...source, length: lengthOfKey(line, source.column), text: line, hint: null }, calm);
  return [
    `${title('File', state, paint)}  ${paint('dim', `${source.file}:${source.line}:${source.column}`)}`,
    ...shown,
    ...facts([
      ['revision', revision],
      ['remark', remark],
      ['version', version && `${version}, pinned`],
      ['drift', drift === 'correct' ? 'correct: what somebody else changes is brought back' : null],
      ['protected', isProtected ? 'yes: nothing goes offline here until a person agrees' : null],
    ]),
  ];
}

/** How many characters the key at a column has. */
function lengthOfKey(line: string, column: number): number {
  return /^(?:"[^"]*"|'[^']*'|[^\s:,{}[\]]+)/.exec(line.slice(column - 1))?.[0].length ?? 1;
}

function recordedPart({ of, paint, nowMs }: Told): string[] {
  const { recorded } = of;
  if (!recorded) return [title('Record', 'nothing: edict never made a call for it that succeeded', paint)];
  const { state, revision, versionId, recordedAtMs, publishedAtMs, editedAtMs, drift, corrections, correctedAtMs, unresolved } = recorded;
  const ago = (ms: number | null): string | null => (ms === null ? null : agoInWords(ms, nowMs));
  return [
    title('Record', state ?? 'unresolved', paint),
    ...facts([
      ['since', state && ago(recordedAtMs)],
      ['revision', revision],
      ['version', versionId],
      ['published', ago(publishedAtMs)],
      ['edited', ago(editedAtMs)],
      ['drift', drift && paint('yellow', `${driftInWords(state, drift)}, seen at ${agoInWords(drift.seenAtMs, nowMs)}`)],
      ['corrected', corrections > 0 ? `${counted(corrections, 'time')}, last at ${ago(correctedAtMs)}` : null],
      ['unresolved', unresolved && paint('yellow', unresolvedInWords(unresolved, ago))],
    ]),
  ];
}

function unresolvedInWords(
  { attemptId, action, overAtMs }: NonNullable<RecordedPublication['unresolved']>,
  ago: (ms: number | null) => string | null,
): string {
  const since = overAtMs === null ? 'in flight, or its process was ended' : `over since ${ago(overAtMs)}`;
  return `attempt ${attemptId} (${action}) has no known outcome, ${since}`;
}

function gatewayPart({ of, paint, nowMs }: Told): string[] {
  const { gateway, desired } = of;
  switch (gateway.kind) {
    case 'unasked':
      return [title('Gateway', `not asked: ${lookInWords(gateway.wasAsked, desired)}`, paint)];
    case 'unseen':
      return [
        title('Gateway', paint('red', 'cannot be seen, so what follows is from the record alone'), paint),
        ...facts([
          ['why', gateway.reason],
          ['hint', gateway.hint],
        ]),
      ];
    case 'seen': {
      const { recorded, versions } = gateway;
      const effective = versions?.find(({ isEffective }) => isEffective);
      const ago = (ms: number | null | undefined): string | null => (ms == null ? null : agoInWords(ms, nowMs));
      const state = versions === null ? (recorded?.state ?? 'offline') : effective ? 'online' : 'offline';
      // What the plan leaves as it is comes below, as the next step.
      const noted = seenOf(of.plan, of.notes).filter(({ kind }) => kind === 'gone' || kind === 'adopted' || kind === 'outside');
      const seen = noted.map(({ kind, message }): Fact => ['seen', paint('yellow', `${kind}: ${message}`)]);
      return [
        title('Gateway', `${state}, asked just now`, paint),
        ...facts([
          ['version', effective ? `${effective.versionId}${effective.number && `, ${effective.number}`}` : null],
          ['published', ago(effective?.publishedAtMs ?? recorded?.publishedAtMs)],
          ['edited', ago(recorded?.editedAtMs)],
          ['kept', versions && versions.length > 0 ? `${versions.length} version${versions.length === 1 ? '' : 's'}` : null],
          ...seen,
        ]),
      ];
    }
  }
}

function lookInWords(wasAsked: boolean, { observeEveryMs }: DesiredState): string {
  const looks = observeEveryMs === null ? 'edict looks only if told to' : `the daemon looks every ${durationInWords(observeEveryMs)}`;
  return `${looks}${wasAsked ? ', and the record holds what was seen last' : ', and nobody has looked yet'} (--refresh does)`;
}

function attemptsPart({ of, paint, nowMs }: Told): string[] {
  if (of.attempts.length === 0) return [title('Attempts', 'none', paint)];
  const lines = columns(
    of.attempts.map(({ attempt }) => [
      String(attempt.id),
      agoInWords(attempt.beganAtMs, nowMs),
      attempt.action,
      attempt.revision === null ? attempt.reason : `${attempt.reason} ${attempt.revision}`,
      paint(attempt.outcome === 'succeeded' ? 'green' : 'red', attempt.outcome ?? 'unresolved'),
      [attempt.code, attempt.message].filter(Boolean).join(' '),
    ]),
  ).map((line) => `  ${line}`);
  const [newest, ...older] = lines;
  const { requestId = null, outcome } = of.attempts[0]?.attempt ?? {};
  // Whoever asks the service about a failure needs its number; the older ones are in the history.
  const request = requestId === null || outcome === 'succeeded' ? [] : [paint('dim', `     request ${requestId}`)];
  return [title('Attempts', 'newest first', paint), newest ?? '', ...request, ...older];
}

function nextPart({ kind, what, why, when, advice, command }: NextStep, { of, paint }: Told): string[] {
  const style = of.plan.suspicion ? 'yellow' : styles[kind];
  const { condition, desired } = of;
  return [
    title('Next', paint(style, what), paint),
    ...facts([
      ['why', why],
      ['when', when],
      ...advice.map((line): Fact => ['to do', line]),
      ['command', command && paint('bold', command)],
      ['daemon', condition && of.holder ? conditionInWords(condition, of.holder, desired.gateway.limit, paint) : null],
    ]),
  ];
}

function title(name: string, what: string, paint: Paint): string {
  return `${paint('bold', `${name}:`)} ${what}`;
}

/** Returns a line for each fact that there is. */
function facts(all: readonly Fact[]): string[] {
  return all.flatMap(([label, value]) => (value === null ? [] : [`  ${label.padEnd(11)} ${value}`]));
}
