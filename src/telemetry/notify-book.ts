import { type Matter, type MatterId, type NoticeKind, noticeKinds, type Signal } from './notify-signals.ts';

/** One thing in the book. */
export interface Entry {
  readonly id: MatterId;
  readonly matter: Matter;
  /** Since when it is so, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** What is to be told now of one kind. `recovered` has what was told before, as it was. */
export interface Told {
  readonly kind: NoticeKind;
  readonly entries: readonly Entry[];
  /** Whether all of it was told a day ago and is so still. */
  readonly isReminder: boolean;
}

/** Two clocks' times, in milliseconds: of a clock that never jumps, and since 1970. */
export interface Moment {
  readonly nowMs: number;
  readonly atMs: number;
}

interface Noted extends Entry {
  /** Before this, on the clock that never jumps, it may still pass by itself. */
  readonly ripeAtMs: number;
  /** Whether it goes on until it ends. */
  readonly isState: boolean;
}

/** What the book has of one kind. */
interface Shelf {
  readonly pending: Map<string, Noted>;
  /** What was told and has not ended. */
  readonly told: Map<string, Noted>;
  /** When something of `pending` is to be told, unless the kind is told too often. */
  readyAtMs: number;
  lastAtMs: number;
  /** Rises with every message and falls with time; each step doubles the time to the next message. */
  level: number;
}

/** The level to which many messages lead: with a window of 30 s the next one is 16 minutes later. */
const highestLevel = 6;
/** So many windows of quiet take a step back. */
const windowsPerLevel = 20;
/** What is so still after a day is told once more. */
const reminderMs = 24 * 3_600_000;

/**
 * Decides what is told when: what comes within a window is one message, the same thing is told once until it has ended, what
 * passes by itself is not told, and the more is told of a kind, the longer the next message waits. A state machine without a
 * clock of its own.
 */
export class NotifyBook {
  readonly #windowMs: number;
  readonly #shelves: Readonly<Record<NoticeKind, Shelf>>;

  /** `windowMs`: how long is waited for more, in milliseconds. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
    this.#shelves = { failed: shelf(), held: shelf(), invalid: shelf(), drifted: shelf(), recovered: shelf(), applied: shelf() };
  }

  /** Notes what has happened. */
  hear(signals: readonly Signal[], moment: Moment): void {
    for (const signal of signals) this.#hear(signal, moment);
  }

  /** When `take` may have something next, on the clock that never jumps; infinite: not before something happens. */
  get dueAtMs(): number {
    return Math.min(...Object.values(this.#shelves).map((one) => this.#dueOf(one)));
  }

  /** Returns what is to be told now, and takes it as told. */
  take(nowMs: number): Told[] {
    return noticeKinds.flatMap((kind) => (this.#dueOf(this.#shelves[kind]) <= nowMs ? this.#takeOf(kind, nowMs) : []));
  }

  /** Returns everything that waits to be told and is no trouble that may pass by itself: there will be no other time. */
  takeLast(nowMs: number): Told[] {
    return noticeKinds.flatMap((kind) => this.#takeOf(kind, nowMs).filter(({ isReminder }) => !isReminder));
  }

  #hear(signal: Signal, moment: Moment): void {
    switch (signal.type) {
      case 'is':
        this.#open(signal.id, signal.matter, signal.patience, moment);
        break;
      case 'happened':
        this.#put(this.#shelves[signal.matter.kind], { id: signal.id, matter: signal.matter, isState: false }, 0, moment);
        break;
      case 'ended':
        for (const one of this.#ending()) this.#close(one, textOf(signal.id), signal.isWell, moment);
        break;
      case 'left':
        for (const one of this.#ending()) {
          const names = [...one.pending, ...one.told].filter(([, { id }]) => id.group === signal.group && !signal.isKept(id.name));
          for (const [text] of names) this.#close(one, text, signal.isWell, moment);
        }
        break;
      case 'rested':
        for (const one of Object.values(this.#shelves)) {
          if (one.readyAtMs > moment.nowMs && [...one.pending.values()].some((noted) => noted.ripeAtMs <= moment.nowMs))
            one.readyAtMs = moment.nowMs;
        }
        break;
    }
  }

  /** The shelves of what can end. */
  #ending(): readonly Shelf[] {
    const { failed, held, invalid, drifted } = this.#shelves;
    return [failed, held, invalid, drifted];
  }

  #open(id: MatterId, matter: Matter, patience: number, moment: Moment): void {
    const one = this.#shelves[matter.kind];
    const text = textOf(id);
    const { recovered } = this.#shelves;
    // That it had ended was not told yet: it is the same trouble, and goes on.
    const before = one.told.get(text) ?? recovered.pending.get(text);
    if (before) one.told.set(text, { ...before, matter, isState: true });
    else this.#put(one, { id, matter, isState: true }, patience, moment);
    forget(recovered, text);
  }

  #put(one: Shelf, noted: Pick<Noted, 'id' | 'matter' | 'isState'>, patience: number, { nowMs, atMs }: Moment): void {
    const text = textOf(noted.id);
    const before = one.pending.get(text);
    const ripeAtMs = Math.min(before?.ripeAtMs ?? Number.POSITIVE_INFINITY, nowMs + patience * this.#windowMs);
    one.pending.set(text, { ...noted, sinceMs: before?.sinceMs ?? atMs, ripeAtMs });
    one.readyAtMs = Math.min(one.readyAtMs, Math.max(ripeAtMs, nowMs + this.#windowMs));
  }

  #close(one: Shelf, text: string, isWell: boolean, moment: Moment): void {
    forget(one, text);
    const told = one.told.get(text);
    one.told.delete(text);
    const canRecover = one === this.#shelves.failed || one === this.#shelves.invalid;
    if (!told || !isWell || !canRecover) return;
    const { recovered } = this.#shelves;
    this.#put(recovered, { id: told.id, matter: told.matter, isState: false }, 0, { ...moment, atMs: told.sinceMs });
  }

  #dueOf({ pending, told, readyAtMs, lastAtMs, level }: Shelf): number {
    const remindAtMs = told.size > 0 ? lastAtMs + reminderMs : Number.POSITIVE_INFINITY;
    if (pending.size === 0) return remindAtMs;
    return Math.min(remindAtMs, Math.max(readyAtMs, lastAtMs + this.#windowMs * 2 ** (level - 1)));
  }

  #takeOf(kind: NoticeKind, nowMs: number): Told[] {
    const one = this.#shelves[kind];
    const ripe = [...one.pending].filter(([, { ripeAtMs }]) => ripeAtMs <= nowMs);
    const isReminder = ripe.length === 0 && one.told.size > 0 && nowMs >= one.lastAtMs + reminderMs;
    const entries = isReminder ? [...one.told.values()] : ripe.map(([, noted]) => noted);
    for (const [text, noted] of ripe) {
      one.pending.delete(text);
      if (noted.isState) one.told.set(text, noted);
    }
    one.readyAtMs = [...one.pending.values()].reduce((first, { ripeAtMs }) => Math.min(first, ripeAtMs), Number.POSITIVE_INFINITY);
    if (entries.length === 0) return [];
    one.level = Math.min(highestLevel, Math.max(0, one.level - (nowMs - one.lastAtMs) / (windowsPerLevel * this.#windowMs)) + 1);
    one.lastAtMs = nowMs;
    return [{ kind, entries, isReminder }];
  }
}

function shelf(): Shelf {
  return { pending: new Map(), told: new Map(), readyAtMs: Number.POSITIVE_INFINITY, lastAtMs: Number.NEGATIVE_INFINITY, level: 0 };
}

/** Takes what was not told yet out of the book. */
function forget(one: Shelf, text: string): void {
  one.pending.delete(text);
  if (one.pending.size === 0) one.readyAtMs = Number.POSITIVE_INFINITY;
}

function textOf({ group, name }: MatterId): string {
  return `${group} ${name}`;
}
