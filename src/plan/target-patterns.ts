import { distance } from 'fastest-levenshtein';
import picomatch from 'picomatch';
import { EdictError } from '../model/errors.ts';
import type { DesiredState, RecordedState } from '../model/publication.ts';
import type { TargetPatterns } from '../model/targets.ts';
import type { Targets } from './targets.ts';

/** A name or an ID. */
type Matcher = (name: string) => boolean;

/** Returns the targets that patterns mean: `*`, `?`, `[…]` and `{…,…}` as in a shell, without negation. What a pattern is letter by letter, it matches always. */
export function compileTargets(patterns: TargetPatterns): Targets {
  const [isApi, isEnvironment] = [matchAny(patterns.apis), matchAny(patterns.environments)];
  return {
    patterns,
    matchesApi: ({ api, apiId }) => isApi(api) || isApi(apiId),
    matchesEnvironment: ({ environment, environmentId }) => isEnvironment(environment) || isEnvironment(environmentId),
  };
}

/**
 * Refuses patterns that match nothing that file or record names: they are slips, and what they should have meant would be
 * left out in silence.
 *
 * @throws EdictError `TARGET_NOT_FOUND`, which names each such pattern and what it may have meant
 */
export function assertTargetsExist({ apis, environments }: TargetPatterns, desired: DesiredState, recorded: RecordedState): void {
  const gone = [...recorded.values()].filter(({ key }) => !desired.publications.has(key));
  const publications = [...desired.publications.values(), ...gone];
  const unknown = [
    ...findUnmatched(
      '--api',
      apis,
      publications.flatMap(({ api, apiId }) => [api, apiId]),
    ),
    ...findUnmatched('--environment', environments, [
      ...publications.flatMap(({ environment, environmentId }) => [environment, environmentId]),
      ...[...desired.environments.values()].flatMap(({ name, id }) => [name, id]),
    ]),
  ];
  if (unknown.length === 0) return;
  const message = unknown.map(({ option, pattern }) => `${option} ${JSON.stringify(pattern)}`).join(' and ');
  throw new EdictError('TARGET_NOT_FOUND', `${message} ${unknown.length === 1 ? 'matches' : 'match'} nothing in the file or the record`, {
    hint: unknown
      .map(({ pattern, suggestions }) => `nearest to ${JSON.stringify(pattern)}: ${suggestions.join(', ') || 'there are no names'}`)
      .join('; '),
  });
}

interface UnmatchedPattern {
  readonly option: string;
  readonly pattern: string;
  readonly suggestions: readonly string[];
}

function findUnmatched(option: string, patterns: readonly string[], names: readonly string[]): UnmatchedPattern[] {
  const known = [...new Set(names)];
  return patterns
    .filter((pattern) => !known.some(createMatcher(pattern)))
    .map((pattern) => ({ option, pattern, suggestions: closestMatches(pattern, known) }));
}

function matchAny(patterns: readonly string[]): Matcher {
  if (patterns.length === 0) return () => true;
  const matchers = patterns.map(createMatcher);
  return (name) => matchers.some((isMatch) => isMatch(name));
}

/** picomatch refuses longer ones. */
const maxPatternLength = 65_536;

function createMatcher(pattern: string): Matcher {
  const isSame: Matcher = (name) => name === pattern;
  if (pattern === '' || pattern.length > maxPatternLength || negationPattern.test(pattern)) return isSame;
  const isMatch = picomatch(escapeSlashes(pattern), { windows: false, dot: true, nonegate: true, noextglob: true, expandRange });
  return (name) => isSame(name) || isMatch(escapeSlashes(name));
}

/** A name or an ID is enough, and so `!(release)` and `[!r]*` would match by its ID the very environment that they leave out. */
const negationPattern = /!\(|\[[!^]/;

/** A name is no path: its `/` is a letter like any other, for `*` too. */
function escapeSlashes(text: string): string {
  return text.replaceAll('/', '\u0001');
}

/** So many names at most come out of one range. */
const maxRangeSize = 10_000;
const matchNothing = '(?!)';

/** Returns the regular expression of `{from..to}`, for picomatch. By itself it would make `[1-10]` of `{1..10}`: 0 and 1. */
export function expandRange(...range: readonly (string | object)[]): string {
  const [from, to, ...more] = range.filter((part) => typeof part === 'string');
  if (from === undefined || to === undefined || more.length > 0) return matchNothing;
  if (/^[a-z]$/.test(from + to.slice(1)) && /^[a-z]$/.test(to)) return from <= to ? `[${from}-${to}]` : `[${to}-${from}]`;
  if (!/^\d{1,15}$/.test(from) || !/^\d{1,15}$/.test(to)) return matchNothing;
  const [first, last] = [Math.min(Number(from), Number(to)), Math.max(Number(from), Number(to))];
  if (last - first >= maxRangeSize) return matchNothing;
  const width = /^0\d/.test(from) || /^0\d/.test(to) ? Math.max(from.length, to.length) : 0;
  return `(${Array.from({ length: last - first + 1 }, (_, index) => String(first + index).padStart(width, '0')).join('|')})`;
}

const maxSuggestions = 3;

/** Returns the names that a pattern comes nearest to with its letters, wherever in a name those may stand. */
export function closestMatches(pattern: string, names: readonly string[]): string[] {
  const letters = pattern.replace(/[*?[\]{}()!]/g, '').toLowerCase();
  const isWhole = letters === pattern.toLowerCase();
  const edits = (name: string): number => {
    const lower = name.toLowerCase();
    const parts = isWhole || letters === '' ? [lower] : [lower, lower.slice(0, letters.length), lower.slice(-letters.length)];
    return Math.min(...parts.map((part) => distance(letters, part)));
  };
  return names
    .map((name) => ({ name, textEdits: edits(name) }))
    .sort((a, b) => a.textEdits - b.textEdits || (a.name < b.name ? -1 : 1))
    .slice(0, maxSuggestions)
    .map(({ name }) => name);
}
