import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NotifyBook, type Told } from '../../src/telemetry/notify-book.ts';
import type { Matter, MatterId, NoticeKind, Signal } from '../../src/telemetry/notify-signals.ts';
import { fc, runs } from '../support/fast-check.ts';

const windowMs = 30_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const names = { api: 'orders', apiId: 'a', environment: 'test', environmentId: 'e' };
const failed: Matter = { kind: 'failed', failure: { what: 'publication', publication: names, code: 'X', message: '', hint: null } };
const invalid: Matter = { kind: 'invalid', count: 1, summary: 'bad', mistakes: [] };
const drifted: Matter = { kind: 'drifted', drift: { ...names, how: 'drift', was: 'online', now: 'offline' } };
const held: Matter = { kind: 'held', count: 1, held: { digest: 'd', command: null, reasons: [], publications: [] } };
const applied: Matter = { kind: 'applied', move: { ...names, action: 'online' } };

const fails = (name: string, patience = 0): Signal => ({
  type: 'is',
  id: { group: 'publication', name },
  matter: failed,
  patience,
});
const ends = (name: string, isWell = true): Signal => ({ type: 'ended', id: { group: 'publication', name }, isWell });
const made = (name: string): Signal => ({ type: 'happened', id: { group: 'applied', name }, matter: applied });
const rested: Signal = { type: 'rested' };

interface Message {
  readonly atMs: number;
  readonly told: readonly Told[];
}

/** A book that is looked at whenever it says so, on a clock that is moved by hand. */
class Desk {
  readonly book = new NotifyBook(windowMs);
  readonly messages: Message[] = [];
  nowMs = 0;

  /** Lets time pass. */
  pass(ms: number): this {
    const untilMs = this.nowMs + ms;
    for (let dueAtMs = this.book.dueAtMs; dueAtMs <= untilMs; dueAtMs = this.book.dueAtMs) {
      this.nowMs = Math.max(this.nowMs, dueAtMs);
      const told = this.book.take(this.nowMs);
      if (told.length > 0) this.messages.push({ atMs: this.nowMs, told });
    }
    this.nowMs = untilMs;
    return this;
  }

  hear(...signals: readonly Signal[]): this {
    this.book.hear(signals, { nowMs: this.nowMs, atMs: this.nowMs + 1_000_000 });
    return this;
  }

  /** What was told, each as its kind and names. */
  get told(): string[] {
    return this.messages.map(({ told }) =>
      told
        .map(({ kind, entries, isReminder }) => `${kind}${isReminder ? ' still' : ''} ${entries.map(({ id }) => id.name).join()}`)
        .join('; '),
    );
  }
}

test('what comes within a window is one message', () => {
  const desk = new Desk().hear(fails('a')).pass(windowMs - 1);
  desk.hear(fails('b'), made('c'));
  assert.equal(desk.told, []);
  assert.equal(desk.pass(1).told, ['failed a,b']);
  assert.equal(desk.pass(windowMs).told, ['failed a,b', 'applied c']);
});

test('when a pass is over, what there is to tell is told at once', () => {
  assert.equal(new Desk().hear(made('a'), made('b'), fails('c'), rested).pass(0).told, ['failed c; applied a,b']);
});

test('the same thing is told once until it has ended, and then that it has', () => {
  const desk = new Desk().hear(fails('a'), rested).pass(windowMs);
  for (let hour = 0; hour < 23; hour += 1) desk.hear(fails('a'), rested).pass(hourMs);
  assert.equal(desk.told, ['failed a']);
  desk.hear(ends('a'), rested).pass(hourMs);
  desk.hear(fails('a'), rested).pass(hourMs);
  assert.equal(desk.told, ['failed a', 'recovered a', 'failed a']);
  assert.is(desk.messages[1]?.told[0]?.entries[0]?.sinceMs, 1_000_000);
});

test('what is so still after a day is told once more', () => {
  const desk = new Desk().hear(fails('a'), fails('b'), rested).pass(dayMs - 1);
  assert.equal(desk.told, ['failed a,b']);
  assert.equal(desk.pass(1).told, ['failed a,b', 'failed still a,b']);
  assert.equal(desk.pass(dayMs).told.length, 3);
});

test('trouble that passes by itself is not told, and neither is its end', () => {
  const desk = new Desk().hear(fails('a', 1), rested).pass(windowMs - 1);
  desk.hear(ends('a')).pass(hourMs);
  assert.equal(desk.told, []);
  assert.equal(desk.hear(fails('a', 1), rested).pass(windowMs).told, ['failed a']);
});

test('trouble that became worse is told as such', () => {
  assert.equal(new Desk().hear(fails('a', 4), fails('a', 0), rested).pass(0).told, ['failed a']);
});

test('what ends without being well again is not told as recovered', () => {
  assert.equal(new Desk().hear(fails('a'), rested).pass(0).hear(ends('a', false), rested).pass(hourMs).told, ['failed a']);
});

test('what fails again before its end was told has gone on all the time', () => {
  const desk = new Desk().hear(fails('a'), rested).pass(hourMs);
  for (let times = 0; times < 100; times += 1) desk.hear(ends('a')).pass(1000).hear(fails('a')).pass(1000);
  assert.equal(desk.pass(hourMs).told, ['failed a']);
  assert.equal(desk.hear(ends('a')).pass(hourMs).told, ['failed a', 'recovered a']);
});

test('of a group everything ends that is left out', () => {
  const desk = new Desk().hear(fails('a'), fails('b'), fails('c'), rested).pass(0);
  desk.hear(fails('d')).hear({ type: 'left', group: 'publication', isKept: (name) => name === 'b', isWell: true });
  assert.equal(desk.pass(hourMs).told, ['failed a,b,c', 'recovered a,c']);
  desk.hear({ type: 'left', group: 'probe', isKept: () => false, isWell: true });
  assert.equal(desk.pass(hourMs).told.length, 2);
});

test('at the end everything is told that waits, but not what may pass', () => {
  const desk = new Desk().hear(made('a'), rested).pass(0).hear(made('b'), fails('c', 1), fails('d'));
  assert.equal(
    desk.book.takeLast(desk.nowMs).map(({ kind, entries }) => [kind, entries.map(({ id }) => id.name)]),
    [
      ['failed', ['d']],
      ['applied', ['b']],
    ],
  );
});

test('an outage that meets 10,000 publications, one after another at ten a second, is a handful of messages', () => {
  const desk = new Desk();
  for (let index = 0; index < 10_000; index += 1) desk.hear(fails(String(index), 1)).pass(100);
  for (let index = 0; index < 10_000; index += 1) desk.hear(ends(String(index)), made(String(index))).pass(100);
  desk.pass(hourMs);
  assert.ok(desk.messages.length <= 16, `${desk.messages.length} messages`);
  const told = (kind: NoticeKind) => desk.messages.flatMap((message) => message.told.filter((one) => one.kind === kind));
  for (const kind of ['failed', 'recovered', 'applied'] as const) {
    assert.ok(told(kind).length <= 7, `${told(kind).length} of ${kind}`);
    assert.is(new Set(told(kind).flatMap(({ entries }) => entries.map(({ id }) => id.name))).size, 10_000);
  }
});

test('a change a second is at most 12 messages in any hour', () => {
  const desk = new Desk();
  for (let second = 0; second < 5 * 3600; second += 1) desk.hear(made(String(second)), rested).pass(1000);
  const most = Math.max(
    ...desk.messages.map(({ atMs }) => desk.messages.filter((other) => other.atMs >= atMs && other.atMs < atMs + hourMs).length),
  );
  assert.ok(most >= 8 && most <= 12, `${most} in an hour`);
});

/** What can be so, and how it is told. */
const things: readonly { readonly id: MatterId; readonly matter: Matter; readonly patience: number }[] = [
  { id: { group: 'publication', name: 'a' }, matter: failed, patience: 0 },
  { id: { group: 'publication', name: 'b' }, matter: failed, patience: 1 },
  { id: { group: 'gateway', name: '' }, matter: failed, patience: 4 },
  { id: { group: 'file', name: '' }, matter: invalid, patience: 0 },
  { id: { group: 'held', name: 'd' }, matter: held, patience: 0 },
  { id: { group: 'drift', name: 'a' }, matter: drifted, patience: 0 },
];

type Step = { readonly waitMs: number; readonly does: 'is' | 'ended' | 'happened' | 'rested'; readonly which: number };

const steps = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 3 * hourMs })),
    does: fc.constantFrom<Step['does'][]>('is', 'is', 'ended', 'happened', 'rested'),
    which: fc.nat(things.length - 1),
  }),
  { maxLength: 400 },
);

const isSame = (one: MatterId, other: MatterId): boolean => one.group === other.group && one.name === other.name;

/** The longest that anything waits to be told: its patience, and the pause that many messages lead to. */
const longestMs = 32 * windowMs + 5 * windowMs;

test('whatever happens, messages are few, and what persists is told once', () => {
  fc.assert(
    fc.property(steps, (all: readonly Step[]) => {
      const desk = new Desk();
      const openSince = new Map<number, number>();
      const periods: { readonly which: number; readonly fromMs: number; readonly toMs: number }[] = [];
      const close = (which: number): void => {
        const fromMs = openSince.get(which);
        if (fromMs !== undefined) periods.push({ which, fromMs, toMs: desk.nowMs });
        openSince.delete(which);
      };
      for (const { waitMs, does, which } of all) {
        desk.pass(waitMs);
        const { id, matter, patience } = things[which] as (typeof things)[number];
        if (does === 'is') {
          if (!openSince.has(which)) openSince.set(which, desk.nowMs);
          desk.hear({ type: 'is', id, matter, patience });
        } else if (does === 'ended') {
          close(which);
          desk.hear({ type: 'ended', id, isWell: true });
        } else desk.hear(does === 'happened' ? made(id.name) : rested);
      }
      desk.pass(2 * hourMs);
      for (const which of [...openSince.keys()]) close(which);

      const toldOf = (kind: NoticeKind): (Told & { readonly atMs: number })[] =>
        desk.messages.flatMap(({ atMs, told }) => told.filter((one) => one.kind === kind).map((one) => ({ ...one, atMs })));
      for (const kind of ['failed', 'held', 'invalid', 'drifted', 'recovered', 'applied'] as const) {
        const times = toldOf(kind).map(({ atMs }) => atMs);
        for (const atMs of times) {
          const inHour = times.filter((other) => other >= atMs && other < atMs + hourMs).length;
          assert.ok(inHour <= 12, `${inHour} messages of ${kind} in an hour`);
        }
      }
      for (const { which, fromMs, toMs } of periods) {
        const { id, matter } = things[which] as (typeof things)[number];
        const naming = toldOf(matter.kind).filter(
          ({ atMs, entries, isReminder }) => !isReminder && atMs >= fromMs && atMs <= toMs && entries.some((entry) => isSame(entry.id, id)),
        );
        assert.ok(naming.length <= 1, 'told twice while it was so');
        const last = desk.messages
          .filter(({ atMs }) => atMs < fromMs)
          .flatMap(({ told }) => told.filter(({ entries }) => entries.some((entry) => isSame(entry.id, id))))
          .at(-1);
        const goesOn = last?.kind === matter.kind && (matter.kind === 'failed' || matter.kind === 'invalid');
        // What came back before its end was told has been told before.
        if (toMs - fromMs > longestMs) assert.ok(naming.length === 1 || goesOn, 'persisted untold');
      }
    }),
    { numRuns: runs(300) },
  );
});

test('nothing is told that is no longer so', () => {
  fc.assert(
    fc.property(steps, (all: readonly Step[]) => {
      const desk = new Desk();
      const open = new Set<string>();
      let seen = 0;
      const look = (): void => {
        for (const { told } of desk.messages.slice(seen)) {
          for (const { kind, entries } of told) {
            if (kind === 'applied') continue;
            for (const { id } of entries) assert.is(open.has(`${id.group} ${id.name}`), kind !== 'recovered');
          }
        }
        seen = desk.messages.length;
      };
      for (const { waitMs, does, which } of all) {
        desk.pass(waitMs);
        look();
        const { id, matter, patience } = things[which] as (typeof things)[number];
        const name = `${id.group} ${id.name}`;
        if (does === 'is') open.add(name);
        if (does === 'ended') open.delete(name);
        if (does === 'is') desk.hear({ type: 'is', id, matter, patience });
        else if (does === 'ended') desk.hear({ type: 'ended', id, isWell: true });
        else desk.hear(does === 'happened' ? made(id.name) : rested);
      }
      desk.pass(dayMs);
      look();
    }),
    { numRuns: runs(300) },
  );
});

test.run();
