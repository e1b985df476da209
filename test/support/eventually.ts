import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves as soon as `isTrue` returns true; rejects if it does not within `withinMs`. */
export async function eventually(isTrue: () => boolean | Promise<boolean>, withinMs: number, what: string): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}
