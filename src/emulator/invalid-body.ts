import { pickRandom, type Random } from './random.ts';

/** Returns `body`, which is valid, as a text that breaks the specification in a way chosen at random. `required` are its required fields. */
export function invalidBody(body: unknown, required: readonly string[], random: Random): string {
  const field = pickRandom(required, random);
  const fields = body as Readonly<Record<string, unknown>>;
  return pickRandom(
    [
      () => '',
      () => '<html><body><h1>It works!</h1></body></html>',
      () => firstHalf(JSON.stringify(body)),
      () => JSON.stringify([body]),
      () => JSON.stringify({ ...fields, [field]: undefined }),
      () => JSON.stringify({ ...fields, [field]: {} }),
    ],
    random,
  )();
}

/** Returns the first half of a text. */
export function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}
