import { distance } from 'fastest-levenshtein';

/** Longer words have no near ones: the time to compare two words is the product of their lengths. */
const maxWordLength = 128;
/** The most words that one is compared with. */
const maxCompared = 10_000;

/**
 * Returns the known word closest to `word`, or `null` if none is close. Of two equally close ones, the one with the longer
 * common prefix.
 */
export function closestMatch(word: string, known: Iterable<string>): string | null {
  if (word.length > maxWordLength) return null;
  const allowed = Math.max(word.length > 3 ? 2 : 1, Math.floor(word.length / 3));
  let best: string | null = null;
  let least = allowed + 1;
  let compared = 0;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    compared += 1;
    if (compared > maxCompared) break;
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least || (edits === least && best !== null && commonPrefixLength(word, candidate) > commonPrefixLength(word, best))) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}

function commonPrefixLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length]?.toLowerCase() === b[length]?.toLowerCase()) length += 1;
  return length;
}

/** Keys of other tools, and what they are called here. */
const keySynonyms: Readonly<Record<string, string>> = {
  version: 'edict',
  status: 'state',
  published: 'state',
  enabled: 'state',
  rps: 'calls',
  qps: 'calls',
  requests: 'calls',
  httpget: 'url',
  region: 'endpoint',
  description: 'remark',
  comment: 'remark',
  note: 'remark',
  rate: 'limit',
  ratelimit: 'limit',
  env: 'environment',
  envs: 'environments',
  stages: 'environments',
  name: 'environment',
  rev: 'revision',
  tz: 'timezone',
  start: 'from',
  end: 'to',
  url: 'endpoint',
  host: 'endpoint',
  order: 'rollout',
  removed: 'prune',
  percent: 'share',
  percentage: 'share',
  max: 'count',
  wait: 'soak',
  healthcheck: 'probe',
  calendar: 'freeze',
  uuid: 'id',
};

/** Returns the key that was probably meant; `null` if none is close. */
export function closestKey(key: string, known: readonly string[]): string | null {
  const bare = bareForm(key);
  const exact = known.find((one) => bareForm(one) === bare);
  if (exact !== undefined) return exact;
  const synonym = keySynonyms[bare];
  if (synonym !== undefined && known.includes(synonym)) return synonym;
  const withoutId = known.find((one) => bare === `${bareForm(one)}id`);
  // `timeoutSeconds`, `soaktime`.
  const withUnit = known.find(
    (one) => bare.startsWith(bareForm(one)) && /^(?:time|in)?(?:ms|millis|secs?|seconds|mins?|minutes)?$/.test(bare.slice(one.length)),
  );
  const isOfId = /^(?:api|environment|env)id$/.test(bare) && known.includes('id');
  return withoutId ?? withUnit ?? (isOfId ? 'id' : closestMatch(key, known));
}

/** Returns whether a key can hardly be anything but `meant` in another spelling, even where the key itself is known elsewhere. */
export function isSpellingOf(meant: string, key: string): boolean {
  const bare = bareForm(key);
  return keySynonyms[bare] === meant || bare === `${bareForm(meant)}id` || distance(bare, bareForm(meant)) <= 1;
}

/** Returns a key in lower case without `_`, `-` and spaces. */
function bareForm(key: string): string {
  return key.toLowerCase().replace(/[_\s-]/g, '');
}

const yes = ['on', 'yes', 'y', 'true', '1', 'enabled', 'enable', 'active'];
const no = ['off', 'no', 'n', 'false', '0', 'disabled', 'disable', 'inactive', 'none', 'never'];

/** Values of other tools, by what they are called here. */
const valueSynonyms: Readonly<Record<string, readonly string[]>> = {
  online: [...yes, 'up', 'live', 'published', 'publish', 'deployed', 'released', 'present'],
  offline: [...no, 'down', 'unpublished', 'unpublish', 'withdrawn', 'removed', 'retired', 'absent'],
  true: yes,
  false: no,
  never: no,
  none: no,
  correct: [...yes, 'fix', 'enforce', 'revert', 'restore', 'repair'],
  report: [...no, 'warn', 'ignore', 'alert', 'show'],
  retry: ['repeat', 'again', 'republish'],
  hold: ['wait', 'stop', 'block', 'ask'],
};

/** Returns the allowed value that was probably meant; `null` if none is close. */
export function closestValue(text: string, allowed: readonly string[]): string | null {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^["'`]+|["'`,;.]+$/g, '');
  return allowed.find((one) => one === bare) ?? allowed.find((one) => valueSynonyms[one]?.includes(bare)) ?? closestMatch(bare, allowed);
}
