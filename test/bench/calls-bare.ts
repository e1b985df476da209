/**
 * `node calls-bare.ts FILE CONCURRENCY [STATE]`: makes the calls that `edict apply` would make on an empty store, bare, and writes
 * `CallsMade`. With STATE it also records each attempt before its call and each outcome after it, which is the minimum for edict.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { Change } from '../../src/model/change.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { parseDesiredState } from '../../src/source/parser.ts';
import { openStore } from '../../src/store/open.ts';
import type { CallsMade } from './calls.ts';
import { recordedAttempt } from './recorded-attempt.ts';

const [file = '', concurrency = '', state] = process.argv.slice(2);
const desired = parseDesiredState({ text: readFileSync(file, 'utf8'), file, variables: {} });
const { endpoint, project, instance } = desired.gateway;
const { hostname, port } = new URL(endpoint);
const { changes } = diffStates(desired, new Map());
const store = state === undefined ? null : await openStore({ url: state, isEmulated: false });
await store?.acquire(desired.gateway, 0);
const options = {
  agent: new Agent({ keepAlive: true, maxSockets: Number(concurrency) }),
  hostname,
  port,
  path: `/v2/${project}/apic/instances/${instance}/apis/action`,
  method: 'POST',
};

const startedAtMs = performance.now();
const queue = changes.values();
const settling: Promise<void>[] = [];
await Promise.all(Array.from({ length: Number(concurrency) }, work));
await Promise.all(settling);
const made: CallsMade = { calls: changes.length, tookMs: performance.now() - startedAtMs };
options.agent.destroy();
await store?.close();
process.stdout.write(JSON.stringify(made));

async function work(): Promise<void> {
  for (const change of queue) {
    if (store) settling.push((await recordedAttempt(store, desired.gateway, change, () => call(change))).outcomeRecorded);
    else await call(change);
  }
}

function call({ action, apiId, environmentId, remark }: Change): Promise<void> {
  const body = JSON.stringify({ action, api_id: apiId, env_id: environmentId, ...(remark === null ? {} : { remark }) });
  return new Promise((resolve, reject) => {
    const headers = { 'x-auth-token': 'bench', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    request({ ...options, headers }, (answer) => {
      const end = (): void => (answer.statusCode === 201 ? resolve() : reject(new Error(`a call was answered with ${answer.statusCode}`)));
      answer.on('end', end).on('error', reject);
      answer.resume();
    })
      .on('error', reject)
      .end(body);
  });
}
