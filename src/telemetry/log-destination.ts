import { writeSync } from 'node:fs';

export interface LogDestinationOptions {
  /** Called with the number of lines that could not be written, once lines are written again. */
  readonly onDropped: (lineCount: number) => void;
  /** Writes to the log and returns how many bytes it took. Default: `writeSync` on stderr. */
  readonly write?: (bytes: Buffer) => number;
  /** The most bytes that wait for a reader. */
  readonly maxQueuedBytes?: number;
}

/** How often a pipe that was full is tried again, in milliseconds. */
const drainIntervalMs = 20;

/** How long the end of the process may wait for the reader of a full pipe, in milliseconds. */
const exitDrainMs = 500;

/**
 * Writes log lines to stderr at once, and never waits for its reader: lines that a full pipe does not take are queued, and beyond a bound
 * they are dropped and counted. A disk that is full or a reader that is gone loses lines, never an attempt.
 */
export class LogDestination {
  readonly #onDropped: LogDestinationOptions['onDropped'];
  readonly #write: (bytes: Buffer) => number;
  readonly #maxQueuedBytes: number;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #droppedCount = 0;
  /** Whether the log ends in the middle of a line, of which the rest is lost or still queued. */
  #isMidLine = false;
  #timer: NodeJS.Timeout | null = null;

  constructor({ onDropped, write = writeToStderr, maxQueuedBytes = 1024 * 1024 }: LogDestinationOptions) {
    this.#onDropped = onDropped;
    this.#write = write;
    this.#maxQueuedBytes = maxQueuedBytes;
  }

  /** Writes or queues a line, or counts it as dropped. Never throws. */
  write(line: string): void {
    // The rest of a line that was cut off must not run into this one.
    const bytes = Buffer.from(this.#isMidLine && this.#queue.length === 0 ? `\n${line}` : line);
    if (this.#queuedBytes + bytes.length > this.#maxQueuedBytes) {
      this.#droppedCount += 1;
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#drain();
  }

  /** Writes what is queued while the reader takes it, for half a second at most. Call it when the process ends. */
  flush(): void {
    for (const deadlineMs = performance.now() + exitDrainMs; this.#queue.length > 0 && performance.now() < deadlineMs; ) {
      this.#drain();
      if (this.#queue.length > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, drainIntervalMs);
    }
  }

  #drain(): void {
    for (let [first] = this.#queue; first; [first] = this.#queue) {
      const written = this.#tryWrite(first);
      if (written === null) return;
      this.#queuedBytes -= written;
      this.#isMidLine = written < first.length;
      if (written < first.length) this.#queue[0] = first.subarray(written);
      else this.#queue.shift();
    }
    if (this.#droppedCount === 0) return;
    const lineCount = this.#droppedCount;
    this.#droppedCount = 0;
    this.#onDropped(lineCount);
  }

  /** Returns how many bytes were written; `null` if none, now or ever. */
  #tryWrite(bytes: Buffer): number | null {
    try {
      return this.#write(bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#drainLater();
      else this.#dropQueue();
      return null;
    }
  }

  #drainLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#drain();
    }, drainIntervalMs).unref();
  }

  #dropQueue(): void {
    this.#droppedCount += this.#queue.length;
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}

function writeToStderr(bytes: Buffer): number {
  // Node.js puts a pipe into non-blocking mode when it opens the stream, so that a write to a full one fails with EAGAIN.
  void process.stderr;
  return writeSync(2, bytes);
}
