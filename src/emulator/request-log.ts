import type { FaultKind } from './faults.ts';

/** The content of a request. */
export interface RequestSummary {
  readonly action?: string;
  readonly api?: string;
  /** The APIs of a batch. */
  readonly apis?: readonly string[];
  readonly environment?: string;
  readonly remark?: string;
  /** The version to make effective. */
  readonly version?: string;
}

/** One request as it reached the emulator. */
export interface ReceivedRequest extends RequestSummary {
  /** Time of arrival in milliseconds since 1970, with fractions. */
  readonly atMs: number;
  readonly operation: string;
  /** `null` if no response was started. */
  readonly status: number | null;
  readonly fault: FaultKind | null;
  /** Whether the request changed a publication. */
  readonly applied: boolean;
}

const maxRequests = 200_000;

/** The received requests, oldest first. Beyond 200,000 the oldest are dropped. */
export class RequestLog {
  #requests: ReceivedRequest[] = [];
  /** Requests since the log was cleared, including dropped ones. */
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

  /** Returns the requests from this index on, counted from 0 since the log was cleared, except dropped ones. */
  since(index: number): readonly ReceivedRequest[] {
    const count = Math.min(this.#count - index, maxRequests);
    return count > 0 ? this.#requests.slice(-count) : [];
  }

  clear(): void {
    this.#requests = [];
    this.#count = 0;
  }
}
