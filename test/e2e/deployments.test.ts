import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { buildProgram } from '../../src/cli/program.ts';
import { startEmulator } from '../../src/emulator/emulator.ts';
import { edict } from '../support/edict-command.ts';
import { fileOf, scratchFolder, seedOf, startEdict, until } from '../support/edict-process.ts';
import { postgresServer } from '../support/postgres.ts';
import { testContext } from '../support/streams.ts';

/*
 * Runs the deployments in examples/ as far as possible without a cluster or an init system; package.test.ts covers the container.
 */
const test = suite('deployments');
const root = join(import.meta.dirname, '../..');
/** A gateway that accepts the access key that the tests mount. */
const seed = { ...seedOf('orders'), keys: [{ access: 'key', secret: 'key' }] };
const readToken = 'read-token-0123456789';
const read = (path: string): string => readFileSync(join(root, 'examples', path), 'utf8');

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean; readonly allowPrivilegeEscalation: boolean };
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly [probe: string]: unknown;
}

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly initContainers?: readonly Container[];
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
        readonly securityContext: { readonly runAsNonRoot: boolean; readonly runAsUser: number };
      };
    };
  };
}

/** Returns the objects of a manifest. Throws an Error if it is not valid YAML. */
function manifests(path: string): Manifest[] {
  return parseAllDocuments(read(path)).map((document) => {
    assert.equal(document.errors, []);
    return document.toJS() as Manifest;
  });
}

function deploymentIn(path: string): { readonly pod: Manifest['spec']['template']['spec']; readonly container: Container } {
  const deployment = manifests(path).find(({ kind }) => kind === 'Deployment');
  if (!deployment) throw new Error(`no Deployment in ${path}`);
  const { selector, template } = deployment.spec;
  assert.equal(template.metadata.labels, selector.matchLabels);
  const container = template.spec.containers.find(({ name }) => name === 'edict');
  if (!container) throw new Error(`no container edict in ${path}`);
  return { pod: template.spec, container };
}

/** Starts edict as configured for a container, with its paths under `folder`, and sends its probes. */
async function runAs({ args, env = [], ports = [], ...probes }: Container, folder: string, state: string): Promise<void> {
  const inFolder = (text: string): string => text.replace(/^\/(?=git|config|secrets|var)/, `${folder}/`);
  const environment = Object.fromEntries(env.map(({ name, value }) => [name, inFolder(value)]));
  const local = args.map((arg) => inFolder(arg).replace('0.0.0.0:9470', '127.0.0.1:0'));
  const daemon = startEdict([...local, '--log-format', 'json'], folder, { ...environment, EDICT_STATE: state });
  try {
    await until('it has reconciled', () => daemon.events('reconcile:finished').length > 0);
    const url = String(daemon.events('daemon:started')[0]?.['url']);
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const { path, port } = (probes[name] as { httpGet: { path: string; port: string } }).httpGet;
      assert.equal(ports.find((one) => one.name === port)?.containerPort, 9470, name);
      assert.is((await fetch(new URL(path, url))).status, 200, name);
    }
    const read = async (token: string): Promise<number> =>
      (await fetch(new URL('/metrics', url), { headers: { authorization: `Bearer ${token}` } })).status;
    assert.equal([await read('guess'), await read(readToken)], [401, 200], 'the page of a pod needs the token');
  } finally {
    daemon.child.kill('SIGTERM');
    assert.is((await daemon.finished).code, 0);
  }
}

for (const path of ['kubernetes/git-sync.yaml', 'kubernetes/config-map.yaml']) {
  test(`${path}: every container is locked down, limited, and mounts only volumes that exist`, () => {
    const { pod } = deploymentIn(path);
    assert.ok(pod.securityContext.runAsNonRoot && pod.securityContext.runAsUser > 0);
    for (const { name, securityContext, resources, volumeMounts, image } of [...(pod.initContainers ?? []), ...pod.containers]) {
      assert.ok(securityContext.readOnlyRootFilesystem && !securityContext.allowPrivilegeEscalation, name);
      assert.ok(Object.keys(resources.requests).length === 2 && 'memory' in resources.limits, name);
      assert.match(image, /:v?\d+\.\d+\.\d+$/);
      // HOME in the image of git-sync, which runs `git config --global` first.
      if (image.includes('/git-sync:'))
        assert.ok(
          volumeMounts.some(({ mountPath }) => mountPath === '/tmp'),
          name,
        );
      for (const mount of volumeMounts)
        assert.ok(
          pod.volumes.some((volume) => volume.name === mount.name),
          `${name} ${mount.name}`,
        );
    }
  });
}

test('kubernetes/git-sync.yaml: edict runs as configured, with PostgreSQL, and answers the probes', async () => {
  const [server, emulator, folder] = [await postgresServer(), await startEmulator({ seed }), scratchFolder()];
  try {
    const { container } = deploymentIn('kubernetes/git-sync.yaml');
    mkdirSync(join(folder, 'git/current/gateways'), { recursive: true });
    mkdirSync(join(folder, 'secrets/gateway'), { recursive: true });
    for (const name of ['access-key', 'secret-key']) writeFileSync(join(folder, 'secrets/gateway', name), 'key\n');
    mkdirSync(join(folder, 'secrets/page'));
    writeFileSync(join(folder, 'secrets/page/read-token'), `${readToken}\n`);
    writeFileSync(join(folder, 'secrets/password'), 'password\n');
    writeFileSync(join(folder, 'git/current/gateways/one.yaml'), fileOf(emulator.url, { orders: 'online' }));
    const written = new URL(container.env?.find(({ name }) => name === 'EDICT_STATE')?.value ?? '');
    assert.equal([...written.searchParams.keys()], ['sslmode', 'password_file']);
    const state = new URL(await server.database());
    if (state.password === 'password') {
      state.password = '';
      state.searchParams.set('password_file', join(folder, 'secrets/password'));
    }
    await runAs(container, folder, state.href);
  } finally {
    await emulator.close();
    await server.close();
  }
});

test('kubernetes/config-map.yaml: its file is valid, and edict runs as configured and answers the probes', async () => {
  const [emulator, folder] = [await startEmulator({ seed }), scratchFolder()];
  try {
    const { container } = deploymentIn('kubernetes/config-map.yaml');
    const config = manifests('kubernetes/config-map.yaml').find(({ kind }) => kind === 'ConfigMap')?.data?.['edict.yaml'] ?? '';
    for (const name of ['config', 'secrets/gateway', 'secrets/page', 'var/lib/edict']) mkdirSync(join(folder, name), { recursive: true });
    for (const name of ['access-key', 'secret-key']) writeFileSync(join(folder, 'secrets/gateway', name), 'key\n');
    writeFileSync(join(folder, 'secrets/page/read-token'), `${readToken}\n`);
    writeFileSync(join(folder, 'config/edict.yaml'), config);
    const validated = await edict(['validate', 'config/edict.yaml'], folder);
    assert.is(validated.code, 0, validated.stdout);
    writeFileSync(join(folder, 'config/edict.yaml'), fileOf(emulator.url, { orders: 'online' }));
    const state = container.env?.find(({ name }) => name === 'EDICT_STATE')?.value ?? '';
    await runAs(container, folder, state.replace(':/', `:${folder}/`));
    assert.ok(existsSync(join(folder, 'var/lib/edict/state.db')));
  } finally {
    await emulator.close();
  }
});

test('systemd/edict.service: its command is valid, and systemd accepts the unit and finds it safe', async () => {
  const unit = read('systemd/edict.service');
  const [, line = ''] = /^ExecStart=\/usr\/bin\/edict (.*)$/m.exec(unit) ?? [];
  const program = await buildProgram(testContext({}).context, () => undefined);
  const command = program.commands.find((one) => one.name() === line.split(' ')[0]);
  for (const [option] of line.matchAll(/--[a-z-]+/g))
    assert.ok(
      command?.options.some(({ long }) => long === option),
      option,
    );
  const folder = scratchFolder();
  const path = join(folder, 'edict.service');
  writeFileSync(path, unit.replaceAll('/usr/bin/edict', `"${process.execPath}"`));
  const { error, status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
  if (error) {
    process.stdout.write('note: systemd-analyze is not installed, the unit was not verified\n');
    return;
  }
  // Without systemd only its own units are missing, never a line of this one.
  const complaints = stderr.split('\n').filter((complaint) => complaint.includes('edict.service'));
  assert.equal([status === 0 || complaints.length === 0, complaints], [true, []]);
});

test.run();
