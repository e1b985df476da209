import type { Approval } from '../core/guards.ts';
import type { Attempt } from '../core/ports.ts';
import { momentInWords } from './phrases.ts';

/** Returns an approval as other programs read it. */
export function approvalJson({ id, digest, by, why, atMs, expiresAtMs, work, done }: Approval) {
  return { id, digest, by, why, at: momentInWords(atMs), expires: momentInWords(expiresAtMs), items: work.length, made: done.size };
}

/** Returns an attempt as other programs read it. */
export function attemptJson({ beganAtMs, settledAtMs, ...attempt }: Attempt) {
  return {
    ...attempt,
    began: new Date(beganAtMs).toISOString(),
    settled: settledAtMs === null ? null : new Date(settledAtMs).toISOString(),
  };
}
