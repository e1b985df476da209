import { Agent, EnvHttpProxyAgent, request } from 'undici';
import type { ProxySettings } from '../model/env.ts';
import { connectionErrorMessage } from '../model/errors.ts';
import type { Probe } from './interface.ts';
import { assertProbeHost, assertProbeHostForProxy, createCheckedLookup, ProbeRefusedError } from './probe-addresses.ts';

/** A probe and its connections. */
export interface Prober {
  readonly probe: Probe;
  /** Closes the connections. */
  close(): Promise<void>;
}

export interface ProberOptions {
  /** Default: no proxy. A proxy looks names up too, and decides where it connects to. */
  readonly proxies?: ProxySettings | null;
  /** Hosts that may be probed although they are this machine or in a private network; default: none. */
  readonly allowedHosts?: readonly string[];
}

/**
 * Opens a prober that sends one GET to an API's own URL: no credentials, redirects not followed, the response body not read.
 * An internal address is refused before a connection is made.
 * It has its own connections, because these requests do not go to the gateway and do not count towards its limit.
 */
export function openProber({ proxies = null, allowedHosts = [] }: ProberOptions = {}): Prober {
  const connect = { lookup: createCheckedLookup(allowedHosts) };
  const agent = proxies === null ? new Agent({ connect }) : new EnvHttpProxyAgent({ connect, ...proxies });
  return {
    probe: async ({ url, expectedStatus, timeoutMs }, signal) => {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        assertProbeHost(url, allowedHosts);
        if (proxies !== null) await assertProbeHostForProxy(url, allowedHosts);
        const response = await request(url, {
          dispatcher: agent,
          headers: { 'user-agent': 'edict', accept: '*/*' },
          signal: AbortSignal.any([signal, timeout]),
        });
        response.body.on('error', () => {}).destroy();
        const { statusCode } = response;
        const isExpected = expectedStatus === null ? statusCode >= 200 && statusCode <= 299 : statusCode === expectedStatus;
        const expected = isExpected ? '' : `, expected ${expectedStatus ?? '200 to 299'}`;
        return { isExpected, message: `answered ${statusCode}${expected}` };
      } catch (error) {
        if (error instanceof ProbeRefusedError) return { isExpected: false, message: `not sent: ${error.message}` };
        return {
          isExpected: false,
          message: timeout.aborted ? `no answer within ${timeoutMs} ms` : `no answer: ${connectionErrorMessage(error)}`,
        };
      }
    },
    close: () => agent.destroy(),
  };
}
