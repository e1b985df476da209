import { distance } from 'fastest-levenshtein';

/** Returns the known word that `word` most likely means, or `null` if none is near. */
export function nearest(word: string, known: Iterable<string>): string | null {
  const allowed = Math.max(word.length > 3 ? 2 : 1, Math.floor(word.length / 3));
  let best: string | null = null;
  let least = allowed + 1;
  for (const candidate of known) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}
