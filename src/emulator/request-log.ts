/** One request as it reached the emulator. */
export interface ReceivedRequest {
  /** When it came, in milliseconds since 1970, to a fraction. */
  readonly atMs: number;
  readonly operation: string;
  readonly status: number;
  readonly action?: string;
  readonly api?: string;
  readonly environment?: string;
}

const kept = 200_000;

/** The requests that came, oldest first; the oldest are forgotten beyond 200,000. */
export class RequestLog {
  #requests: ReceivedRequest[] = [];

  add(request: ReceivedRequest): void {
    this.#requests.push(request);
    if (this.#requests.length > kept * 1.5) this.#requests = this.#requests.slice(-kept);
  }

  /** Returns the last 200,000 requests. */
  all(): readonly ReceivedRequest[] {
    return this.#requests.slice(-kept);
  }

  clear(): void {
    this.#requests = [];
  }
}
