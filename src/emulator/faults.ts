/** An answer that the next matching calls get instead of the service's own. */
export interface Fault {
  /** How many calls get it. */
  readonly times: number;
  readonly status: number;
  readonly errorCode: string;
  readonly errorMsg: string;
  /** Only calls for this API, by ID; left out: every call. */
  readonly apiId?: string;
  /** Whether the call changes the gateway all the same. */
  readonly applied?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The faults that wait for calls, first come, first served. */
export class Faults {
  /** How long every answer is held back, in milliseconds. */
  latencyMs = 0;
  #waiting: { readonly fault: Fault; left: number }[] = [];

  /** Adds a fault behind those that wait. */
  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times });
  }

  /** Forgets all faults and the latency. */
  clear(): void {
    this.latencyMs = 0;
    this.#waiting = [];
  }

  /** Returns the fault for a call and uses it up by one; `null` if there is none. */
  take(apiId: string): Fault | null {
    const entry = this.#waiting.find(({ fault }) => fault.apiId === undefined || fault.apiId === apiId);
    if (!entry) return null;
    entry.left -= 1;
    if (entry.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== entry);
    return entry.fault;
  }
}
