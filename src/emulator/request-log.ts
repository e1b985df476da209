import type { FaultKind } from './faults.ts';

/** What a request asks for. */
export interface RequestSummary {
  readonly action?: string;
  readonly api?: string;
  /** The APIs of a batch. */
  readonly apis?: readonly string[];
  readonly environment?: string;
  readonly remark?: string;
  /** The version that is to be effective. */
  readonly version?: string;
}

/** One request as it reached the emulator. */
export interface ReceivedRequest extends RequestSummary {
  /** When it came, in milliseconds since 1970, to a fraction. */
  readonly atMs: number;
  readonly operation: string;
  /** `null` if no answer was begun. */
  readonly status: number | null;
  readonly fault: FaultKind | null;
  /** Whether it made a publication or took one offline. */
  readonly applied: boolean;
}

const maxRequests = 200_000;

/** The requests that came, oldest first; the oldest are forgotten beyond 200,000. */
export class RequestLog {
  #requests: ReceivedRequest[] = [];
  /** How many came since the log was cleared, forgotten ones included. */
  #count = 0;

  add(request: ReceivedRequest): void {
    this.#requests.push(request);
    this.#count += 1;
    if (this.#requests.length > maxRequests * 1.5) this.#requests = this.#requests.slice(-maxRequests);
  }

  /** Returns the last 200,000 requests. */
  all(): readonly ReceivedRequest[] {
    return this.#requests.slice(-maxRequests);
  }

  /** Returns the requests from the one with this index on, counted from 0 since the log was cleared; those forgotten are left out. */
  since(index: number): readonly ReceivedRequest[] {
    const count = Math.min(this.#count - index, maxRequests);
    return count > 0 ? this.#requests.slice(-count) : [];
  }

  clear(): void {
    this.#requests = [];
    this.#count = 0;
  }
}
