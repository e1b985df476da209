import { distance } from 'fastest-levenshtein';
import type { DesiredState } from '../model/desired-state.ts';
import { EdictError } from '../model/errors.ts';
import type { PublicationNames } from '../model/publication.ts';
import type { RecordedPublication } from '../model/recorded-state.ts';
import type { TargetPatterns } from '../model/settings.ts';
import { compileGlob } from './glob.ts';
import type { Targets } from './targets.ts';

/** Matches a name or an ID. */
type Matcher = (name: string) => boolean;

/**
 * Compiles target patterns: `*`, `?`, `[…]` and `{…,…}` as in a shell, without negation. A name is not a path: its `/` is a
 * character like any other, which `*` matches too. A pattern always matches a name or ID that equals it literally.
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

function createMatcher(pattern: string): Matcher {
  const isLiteral: Matcher = (name) => name === pattern;
  if (pattern === '' || negationPattern.test(pattern)) return isLiteral;
  const glob = compileGlob(pattern, { isPath: false });
  return (name) => isLiteral(name) || glob.matches(name);
}

/**
 * Negations are matched literally. Since a name or an ID is enough, `!(release)` and `[!r]*` would match by its ID the very
 * environment that they exclude.
 */
const negationPattern = /!\(|\[[!^]/;

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
