import { randomUUID } from 'node:crypto';
import type { Emit } from '../core/events.ts';
import type { Clock } from '../core/ports.ts';
import type { Proxies } from '../core/proxies.ts';
import type { GatewayIdentity } from '../core/publication.ts';
import { NotifyBook, type Told } from './notify-book.ts';
import { Courier, type Receiver } from './notify-courier.ts';
import { messageFor } from './notify-document.ts';
import { type NoticeKind, type Release, signalsOf } from './notify-signals.ts';

/** What is told to whom. */
export interface NotifySettings {
  readonly receivers: readonly Receiver[];
  readonly kinds: ReadonlySet<NoticeKind>;
  /** What comes within this time is one message, in milliseconds. */
  readonly windowMs: number;
  /** `null`: receivers are asked themselves. */
  readonly proxies: Proxies | null;
}

export interface NotifierDeps {
  readonly file: string;
  readonly emulated: boolean;
  readonly release: Release;
  readonly clock: Clock;
  /** Hears of deliveries that fail. */
  readonly emit: Emit;
}

/** Tells receivers of what happens in the engine. */
export class Notifier {
  readonly #settings: NotifySettings;
  readonly #deps: NotifierDeps;
  readonly #book: NotifyBook;
  readonly #couriers: readonly Courier[];
  readonly #stopping = new AbortController();
  #gateway: GatewayIdentity | null = null;
  /** When the book is looked at next, and what ends the waiting for that. */
  #alarm: { readonly atMs: number; readonly cancel: AbortController } | null = null;

  constructor(settings: NotifySettings, deps: NotifierDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#book = new NotifyBook(settings.windowMs);
    const onFailed = (told: { readonly to: string; readonly reason: string; readonly dropped: number }) =>
      deps.emit({ type: 'notify:failed', ...told });
    this.#couriers = settings.receivers.map(
      (receiver) => new Courier({ receiver, proxies: settings.proxies, clock: deps.clock, onFailed }),
    );
  }

  /** Hears what happens in the engine; returns at once. */
  readonly emit: Emit = (event) => {
    const { clock, release } = this.#deps;
    if (event.type === 'file:accepted') this.#gateway = event.desired.gateway;
    const signals = signalsOf(event, release);
    if (signals.length === 0 || this.#stopping.signal.aborted) return;
    this.#book.hear(signals, { nowMs: clock.monotonic(), atMs: clock.now() });
    this.#setAlarm();
  };

  /** Tries to deliver what waits and ends, after two seconds at the latest. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#alarm?.cancel.abort();
    this.#send(this.#book.takeLast(this.#deps.clock.monotonic()));
    await Promise.all(this.#couriers.map((courier) => courier.close()));
  }

  #setAlarm(): void {
    const { dueAtMs: atMs } = this.#book;
    if (this.#alarm?.atMs === atMs) return;
    this.#alarm?.cancel.abort();
    this.#alarm = null;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#alarm = { atMs, cancel: new AbortController() };
    void this.#ring(atMs, this.#alarm.cancel.signal);
  }

  async #ring(atMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    // Also where it is due already: whoever emits is not kept.
    do await clock.sleep(Math.max(0, Math.ceil(atMs - clock.monotonic())), signal);
    while (clock.monotonic() < atMs && !signal.aborted);
    if (signal.aborted) return;
    this.#alarm = null;
    this.#send(this.#book.take(clock.monotonic()));
    this.#setAlarm();
  }

  #send(told: readonly Told[]): void {
    const { file, emulated, clock } = this.#deps;
    const chosen = told.filter(({ kind }) => this.#settings.kinds.has(kind));
    if (chosen.length === 0) return;
    const message = messageFor(chosen, randomUUID(), clock.now(), { file, emulated, gateway: this.#gateway });
    for (const courier of this.#couriers) courier.send(message);
  }
}
