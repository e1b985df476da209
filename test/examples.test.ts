import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { diffStates } from '../src/plan/diff.ts';
import { FileSource } from '../src/source/file-source.ts';

const examples = globSync('examples/**/edict.yaml', { cwd: new URL('..', import.meta.url) });

test('there are examples', () => {
  assert.ok(examples.length >= 2);
});

for (const file of examples) {
  test(`${file} has a valid plan`, async () => {
    const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
    const desired = await new FileSource(path, {
      variables: { HW_PROJECT_ID: '73d69ae0cfcf460190522d06b60f05ad' },
      resolveNames: async () => new Map(),
    }).load();
    const made = diffStates(desired, new Map());
    assert.is(made.changes.length + made.unchanged, desired.publications.size);
    assert.ok(made.changes.length > 0);
  });
}

for (const file of globSync('examples/**/*.{yaml,yml}', { cwd: new URL('..', import.meta.url) })) {
  test(`${file} is YAML`, () => {
    const documents = parseAllDocuments(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
    assert.ok(Array.isArray(documents) && documents.length > 0);
    assert.equal(
      documents.flatMap(({ errors }) => errors.map(({ message }) => message)),
      [],
    );
  });
}

interface Peer {
  readonly namespaceSelector?: object;
  readonly ipBlock?: { readonly cidr: string; readonly except: readonly string[] };
}

interface Resource {
  readonly kind: string;
  readonly spec: {
    readonly template?: { readonly metadata: { readonly labels: object } };
    readonly podSelector?: { readonly matchLabels: object };
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from?: readonly Peer[]; readonly ports: readonly { readonly port: unknown }[] }[];
    readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports: readonly { readonly port: unknown }[] }[];
  };
}

for (const file of globSync('examples/kubernetes/*.yaml', { cwd: new URL('..', import.meta.url) })) {
  const resources = parseAllDocuments(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).map(
    (document) => document.toJS() as Resource,
  );

  test(`${file} limits whom the pods reach, and who reaches them`, () => {
    const deployment = resources.find(({ kind }) => kind === 'Deployment');
    const policy = resources.find(({ kind }) => kind === 'NetworkPolicy')?.spec;
    assert.equal(policy?.podSelector?.matchLabels, deployment?.spec.template?.metadata.labels);
    assert.equal(policy?.policyTypes, ['Ingress', 'Egress']);
    // A rule without peers, or without ports, allows everybody or everything.
    const rules = [
      ...(policy?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports })),
      ...(policy?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports })),
    ];
    for (const { peers, ports } of rules) {
      assert.ok(peers !== undefined && peers.length > 0 && ports.length > 0);
      for (const { ipBlock } of peers ?? []) {
        if (!ipBlock) continue;
        for (const range of ['10.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16']) {
          assert.ok(ipBlock.except.includes(range), range);
        }
      }
    }
    assert.equal(
      policy?.ingress?.flatMap(({ ports }) => ports.map(({ port }) => port)),
      ['http'],
    );
    const outward = policy?.egress?.flatMap(({ ports }) => ports.map(({ port }) => port));
    assert.equal(outward, file.endsWith('git-sync.yaml') ? [53, 53, 5432, 443] : [53, 53, 443]);
  });
}

test.run();
