/** `node calls-bare.ts FILE CONCURRENCY`: makes the calls that `edict apply` would make on an empty store, bare, and writes `CallsMade`. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { plan } from '../../src/core/plan.ts';
import { parseDesired } from '../../src/desired/parse-desired.ts';
import type { CallsMade } from './calls.ts';

const [file = '', concurrency = ''] = process.argv.slice(2);
const desired = parseDesired({ text: readFileSync(file, 'utf8'), file, variables: {} });
const { endpoint, project, instance } = desired.gateway;
const { hostname, port } = new URL(endpoint);
const bodies = plan(desired, new Map()).changes.map(({ action, apiId, environmentId, remark }) =>
  JSON.stringify({ action, api_id: apiId, env_id: environmentId, ...(remark === null ? {} : { remark }) }),
);
const options = {
  agent: new Agent({ keepAlive: true, maxSockets: Number(concurrency) }),
  hostname,
  port,
  path: `/v2/${project}/apic/instances/${instance}/apis/action`,
  method: 'POST',
};

const startedAtMs = performance.now();
let next = 0;
await Promise.all(Array.from({ length: Number(concurrency) }, work));
const made: CallsMade = { calls: bodies.length, tookMs: performance.now() - startedAtMs };
options.agent.destroy();
process.stdout.write(JSON.stringify(made));

async function work(): Promise<void> {
  for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
    const status = await call(body);
    if (status !== 201) throw new Error(`a call was answered with ${status}`);
  }
}

function call(body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-auth-token': 'bench', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    request({ ...options, headers }, (answer) => {
      answer.on('end', () => resolve(answer.statusCode)).on('error', reject);
      answer.resume();
    })
      .on('error', reject)
      .end(body);
  });
}
