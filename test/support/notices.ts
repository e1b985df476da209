import type { components } from '../../generated/edict-notification.d.ts';
import type { Entry, Told } from '../../src/telemetry/notify-book.ts';
import type { Matter } from '../../src/telemetry/notify-signals.ts';

type Schemas = components['schemas'];

/** Returns the names of an API in `test`. */
export function namesOf(api: string): Schemas['Publication'] {
  return { api, apiId: `api-${api}`, environment: 'test', environmentId: 'env-test' };
}

/** Returns a failure of the publication of `orders`, unless `over` says otherwise. */
export function failureMatter(over: Partial<Extract<Matter, { kind: 'failed' }>['failure']> = {}): Matter {
  const failure = {
    what: 'publication',
    publication: namesOf('orders'),
    code: 'APIG.3002',
    message: 'no such API',
    hint: 'check',
  } as const;
  return { kind: 'failed', failure: { ...failure, ...over } };
}

/** Returns something that is so since 2026. */
export function entryOf(matter: Matter, index = 0): Entry {
  return { id: { group: 'publication', name: String(index) }, matter, sinceMs: Date.UTC(2026, 0, 1) };
}

const move = { ...namesOf('orders'), action: 'offline' } as const;
const reasons = [{ rule: 'protected', message: 'environment release is protected: nothing goes offline there', hint: 'check' }] as const;
const mistake = { rule: 'value', file: 'edict.yaml', line: 3, column: 5, message: '"onlin" is not allowed', hint: null } as const;

const matters: Readonly<Record<Told['kind'], Matter>> = {
  failed: failureMatter(),
  held: {
    kind: 'held',
    count: 1,
    held: { digest: 'sha256:1', command: 'edict approve sha256:1', reasons: [...reasons], publications: [move] },
  },
  invalid: { kind: 'invalid', count: 1, summary: 'edict.yaml has 1 mistake', mistakes: [mistake] },
  drifted: { kind: 'drifted', drift: { ...namesOf('carts'), how: 'drift', was: 'online', now: 'offline' } },
  recovered: failureMatter(),
  applied: { kind: 'applied', move },
};

/** One thing told of each kind. */
export const everyNotice: readonly Told[] = Object.entries(matters).map(([kind, matter]) => {
  return { kind: kind as Told['kind'], entries: [entryOf(matter)], isReminder: false };
});
