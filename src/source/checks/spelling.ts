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
