import { Agent, EnvHttpProxyAgent, request } from 'undici';
import { errorMessage } from '../model/errors.ts';
import type { Probe } from '../model/ports.ts';
import type { ProxySettings } from '../model/proxy-settings.ts';

/** What asks APIs, and its connections. */
export interface Prober {
  readonly probe: Probe;
  /** Ends connections. */
  close(): Promise<void>;
}

/**
 * Returns what asks APIs at their own addresses: one GET, no credentials, redirects not followed, the answer's body not read.
 * It has connections of its own, since these requests do not go to the gateway and do not count to its limit.
 */
export function openProber(proxies: ProxySettings | null = null): Prober {
  const agent = proxies === null ? new Agent() : new EnvHttpProxyAgent(proxies);
  return {
    probe: async ({ url, expectedStatus, timeoutMs }, signal) => {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const answer = await request(url, {
          dispatcher: agent,
          headers: { 'user-agent': 'edict', accept: '*/*' },
          signal: AbortSignal.any([signal, timeout]),
        });
        answer.body.on('error', () => {}).destroy();
        const { statusCode } = answer;
        const isExpected = expectedStatus === null ? statusCode >= 200 && statusCode <= 299 : statusCode === expectedStatus;
        const expected = isExpected ? '' : `, expected ${expectedStatus ?? '200 to 299'}`;
        return { isExpected, message: `answered ${statusCode}${expected}` };
      } catch (error) {
        return {
          isExpected: false,
          message: timeout.aborted ? `no answer within ${timeoutMs} ms` : `no answer: ${probeErrorMessage(error)}`,
        };
      }
    },
    close: () => agent.destroy(),
  };
}

/** Returns what an error of the connection says; one that stands for several addresses tried says nothing itself. */
function probeErrorMessage(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return errorMessage(first ?? error);
}
