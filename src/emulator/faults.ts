import type { Random } from './random.ts';
import type { EmulatedError } from './responses.ts';
import type { Throttle } from './throttle.ts';

/** An injected fault: its effect, target and frequency. */
export type Fault = FaultEffect & FaultTarget & FaultFrequency;

/**
 * The faults of a connection. `cut`: the connection closes without a response. `half`: it closes in the middle of the service's response.
 * `invalid`: a success status with a body that violates the specification. `hang`: no response until either side closes.
 */
export const connectionFaults = ['cut', 'half', 'invalid', 'hang'] as const;

/** The effect on the caller. */
type FaultEffect =
  | {
      /** An error response with the given fields; the default kind. */
      readonly kind?: 'answer';
      readonly status: number;
      readonly errorCode: string;
      readonly errorMsg: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: (typeof connectionFaults)[number] };

export type FaultKind = NonNullable<Fault['kind']>;

interface FaultTarget {
  /** An `operationId`, or `*` for all; default: `changePublication`. */
  readonly operation?: string;
  /** Only calls for this API, by ID; default: all calls. */
  readonly apiId?: string;
  /** Only calls for this environment, by ID; default: all calls. */
  readonly environmentId?: string;
  /**
   * Whether the call takes effect despite the fault. A call that the service would reject is then rejected without the fault; this also holds
   * for `half` and `invalid`.
   */
  readonly applied?: boolean;
}

type FaultFrequency =
  /** The number of following calls that get the fault. */
  | { readonly times: number; readonly share?: never }
  /** The probability of the fault per call, from 0 to 1, until faults are cleared. */
  | { readonly share: number; readonly times?: never };

/** Delay of responses in milliseconds, fixed or random between two bounds. */
export type Latency = number | { readonly minMs: number; readonly maxMs: number };

/** The queued faults, first in, first out, with the latency and the throttle of the emulated network. */
export class FaultInjector {
  latencyMs: Latency = 0;
  throttle: Throttle | null = null;
  readonly #random: Random;
  #queue: { readonly fault: Fault; left: number }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Appends a fault to the queue. */
  add(fault: Fault): void {
    this.#queue.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  /** Removes all faults, the latency and the throttle. */
  clear(): void {
    this.latencyMs = 0;
    this.throttle = null;
    this.#queue = [];
  }

  /** Returns the error for a single API of a batch, and uses the fault once; `null` if there is none. */
  takeForApi(apiId: string, operation: string): EmulatedError | null {
    const fault = this.#take((entry) => entry.apiId === apiId && entry.operation === operation && isErrorFault(entry));
    return fault && isErrorFault(fault) ? fault : null;
  }

  /** Returns the fault for a call, and uses it once; `null` if there is none. */
  take(call: {
    readonly operation: string;
    readonly apiId?: string | undefined;
    readonly environmentId?: string | undefined;
  }): Fault | null {
    return this.#take(
      ({ operation = 'changePublication', apiId, environmentId }) =>
        (operation === '*' || operation === call.operation) &&
        (apiId === undefined || apiId === call.apiId) &&
        (environmentId === undefined || environmentId === call.environmentId),
    );
  }

  #take(matches: (fault: Fault) => boolean): Fault | null {
    const entry = this.#queue.find(({ fault }) => matches(fault) && (fault.share === undefined || this.#random() < fault.share));
    if (!entry) return null;
    entry.left -= 1;
    if (entry.left <= 0) this.#queue = this.#queue.filter((other) => other !== entry);
    return entry.fault;
  }

  /** Returns the delay of the next response, in milliseconds. */
  nextDelayMs(): number {
    if (typeof this.latencyMs === 'number') return this.latencyMs;
    const { minMs, maxMs } = this.latencyMs;
    return minMs + this.#random() * (maxMs - minMs);
  }
}

function isErrorFault(fault: Fault): fault is Fault & EmulatedError {
  return fault.kind === undefined || fault.kind === 'answer';
}

const overlapMessage = 'Other operations are currently in progress';

/** The service's refusal of a change of an API while another one is under way. */
export const overlapError: EmulatedError = { status: 500, errorCode: 'APIG.3500', errorMsg: overlapMessage };

/** Status and message by error code, from the service's references. The first matching row applies. */
const errorResponses: readonly (readonly [code: RegExp, status: number, errorMsg: string])[] = [
  [/\.9008$/, 500, 'System busy: too many requests'],
  [/\.3500$/, 500, overlapMessage],
  [/\.9\d{3}$/, 500, 'System error'],
  [/\.0308$/, 429, 'The throttling threshold has been reached: policy ip over ratelimit'],
  [/\.(7701|3718)$/, 409, 'The resource is being changed by another request'],
  [/\.(2\d{3}|3309)$/, 400, 'The request is invalid'],
  [/\.100[0-2]$/, 401, 'Incorrect token or token resolution failed'],
  [/\.1010$/, 401, 'PDP server connection failed'],
  [/\.1011$/, 401, 'You can request resources only after you complete real-name authentication'],
  [/\.1012$/, 401, 'Your account balance is insufficient'],
  [/\.1013$/, 401, 'Your account has been frozen'],
  [/\.030[1357]$/, 401, 'Incorrect IAM authentication information'],
  [/\.(1\d{3}|030[26])$/, 403, 'No permissions to request this method'],
  [/\.310[24]$/, 403, 'The quota is used up'],
  [/\.(30\d{2}|7302|0101)$/, 404, 'The resource does not exist'],
];

/**
 * Parses a fault for a share of all changes: a kind or an error code, `:applied` if the change takes effect first, and the share, as in
 * `cut=0.05` or `APIG.9999:applied=0.1`. Throws a TypeError that explains an error in the text.
 */
export function parseFault(text: string): Fault {
  const [, name = '', flag, shareText = ''] = /^([^:=]+)(:applied)?=(.+)$/.exec(text) ?? [];
  if (name === '') throw new TypeError('expected a kind and a share, such as cut=0.05 or APIG.9999:applied=0.1');
  const share = /^\d+(\.\d+)?$/.test(shareText) ? Number(shareText) : Number.NaN;
  if (!(share <= 1)) throw new TypeError(`${shareText} is no share: expected a number from 0 to 1`);
  const frequency = { share, applied: flag !== undefined };
  const kind = connectionFaults.find((known) => known === name);
  return kind ? { kind, ...frequency } : { ...errorForCode(name), ...frequency };
}

function errorForCode(errorCode: string): { status: number; errorCode: string; errorMsg: string } {
  const row = /^(APIG|APIGW|APIC)\.\d{4}$/.test(errorCode) && errorResponses.find(([code]) => code.test(errorCode));
  if (!row) throw new TypeError(`${errorCode} is neither ${connectionFaults.join(', ')} nor a known error code such as APIG.9999`);
  const [, status, errorMsg] = row;
  return { status, errorCode, errorMsg };
}
