import { distance } from 'fastest-levenshtein';
import picomatch from 'picomatch';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError } from '../model/errors.ts';
import type { PublicationNames } from '../model/publication.ts';
import type { RecordedPublication } from '../model/recorded-state.ts';
import type { TargetPatterns } from '../model/settings.ts';
import type { Targets } from './targets.ts';

/** Matches a name or an ID. */
type Matcher = (name: string) => boolean;

/**
 * Compiles target patterns: `*`, `?`, `[…]` and `{…,…}` as in a shell, without negation. A pattern always matches a name or ID
 * that equals it literally.
 */
export function compileTargets(patterns: TargetPatterns): Targets {
  const [isApi, isEnvironment] = [matchAny(patterns.apis), matchAny(patterns.environments)];
  return {
    patterns,
    matchesApi: ({ api, apiId }) => isApi(api) || isApi(apiId),
    matchesEnvironment: ({ environment, environmentId }) => isEnvironment(environment) || isEnvironment(environmentId),
  };
}

/**
 * Rejects patterns that match no name in the file or of the publications `known` besides: they are typos, and whatever they were meant to
 * match would be left out silently.
 *
 * @throws EdictError `TARGET_NOT_FOUND`, which names each such pattern with suggestions
 */
export function assertTargetsExist(
  { apis, environments }: TargetPatterns,
  desired: DesiredState,
  known: Iterable<Pick<RecordedPublication, 'key' | keyof PublicationNames>>,
): void {
  const others = [...known].filter(({ key }) => !desired.publications.has(key));
  const publications = [...desired.publications.values(), ...others];
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

/** picomatch rejects longer patterns. */
const maxPatternLength = 65_536;

function createMatcher(pattern: string): Matcher {
  const isLiteral: Matcher = (name) => name === pattern;
  if (pattern === '' || pattern.length > maxPatternLength || negationPattern.test(pattern)) return isLiteral;
  const isMatch = picomatch(escapeSlashes(pattern), { windows: false, dot: true, nonegate: true, noextglob: true, expandRange });
  return (name) => isLiteral(name) || isMatch(escapeSlashes(name));
}

/**
 * Negations are matched literally. Since a name or an ID is enough, `!(release)` and `[!r]*` would match by its ID the very
 * environment that they exclude.
 */
const negationPattern = /!\(|\[[!^]/;

/** A name is not a path: its `/` is a character like any other, which `*` matches too. */
function escapeSlashes(text: string): string {
  return text.replaceAll('/', '\u0001');
}

/** Maximum number of names that one range expands to. */
const maxRangeSize = 10_000;
const matchNothing = '(?!)';

/**
 * Returns the regular expression of `{from..to}` for picomatch, whose default turns `{1..10}` into `[1-10]`, which matches 0
 * and 1.
 */
export function expandRange(...range: readonly (string | object)[]): string {
  const [from, to, ...extra] = range.filter((part) => typeof part === 'string');
  if (from === undefined || to === undefined || extra.length > 0) return matchNothing;
  if (/^[a-z]$/.test(from + to.slice(1)) && /^[a-z]$/.test(to)) return from <= to ? `[${from}-${to}]` : `[${to}-${from}]`;
  if (!/^\d{1,15}$/.test(from) || !/^\d{1,15}$/.test(to)) return matchNothing;
  const [first, last] = [Math.min(Number(from), Number(to)), Math.max(Number(from), Number(to))];
  if (last - first >= maxRangeSize) return matchNothing;
  const width = /^0\d/.test(from) || /^0\d/.test(to) ? Math.max(from.length, to.length) : 0;
  return `(${Array.from({ length: last - first + 1 }, (_, index) => String(first + index).padStart(width, '0')).join('|')})`;
}

const maxSuggestions = 3;

/** Returns the names closest to a pattern's literal characters, which may stand at the start or the end of a name. */
export function closestMatches(pattern: string, names: readonly string[]): string[] {
  const literal = pattern.replace(/[*?[\]{}()!]/g, '').toLowerCase();
  const isWhole = literal === pattern.toLowerCase();
  const edits = (name: string): number => {
    const lower = name.toLowerCase();
    const parts = isWhole || literal === '' ? [lower] : [lower, lower.slice(0, literal.length), lower.slice(-literal.length)];
    return Math.min(...parts.map((part) => distance(literal, part)));
  };
  return names
    .map((name) => ({ name, textEdits: edits(name) }))
    .sort((a, b) => a.textEdits - b.textEdits || (a.name < b.name ? -1 : 1))
    .slice(0, maxSuggestions)
    .map(({ name }) => name);
}
