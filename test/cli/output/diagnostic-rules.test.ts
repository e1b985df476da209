import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidFileError } from '../../../src/model/errors.ts';
import type { NameResolutions } from '../../../src/model/name-ref.ts';
import { diagnosticRules } from '../../../src/render/diagnostic.ts';
import { FileSource } from '../../../src/source/file-source.ts';
import { scratchFolder } from '../../support/edict-process.ts';

const gateway = 'gateway: { endpoint: "https://x", project: p, instance: i }\n';
const head = `edict: 1\nrefresh: never\n${gateway}environments: { test: e1, release: e2 }\n`;
const nothingKnown: NameResolutions = new Map();

/** Returns the rules of the errors in a file. */
async function rulesOf(text: string): Promise<string[]> {
  const file = join(scratchFolder(), 'edict.yaml');
  writeFileSync(file, text);
  try {
    await new FileSource(file, { variables: {}, resolveNames: async () => nothingKnown }).load();
  } catch (error) {
    if (error instanceof InvalidFileError) return error.diagnostics.map(({ rule }) => rule);
    throw error;
  }
  return [];
}

for (const [rule, text] of [
  ['yaml', `${head}apis: [\n`],
  ['duplicate-key', `${head}apis: {}\napis: {}\n`],
  ['unknown-key', `${head}apis: {}\napi: {}\n`],
  ['missing-key', head],
  ['invalid-value', `${head}apis: { a: { id: A, environments: { test: up } } }\n`],
  ['variable', `${head.replace('instance: i', `instance: "$\{NOWHERE}"`)}apis: {}\n`],
  ['undeclared-environment', `${head}apis: { a: { id: A, environments: { stage: online } } }\n`],
  [
    'duplicate-declaration',
    `${head}apis: { a: { id: A, environments: { test: online } }, b: { id: A, environments: { test: online } } }\n`,
  ],
  ['unknown-name', `${head}apis: { a: { environments: { test: online } } }\n`],
  ['redundant-key', `${head}apis: { a: { id: A, name: B, environments: {} } }\n`],
  ['rollout', `${head}rollout: [test, release, test]\napis: {}\n`],
  ['freeze', `${head}suspend: { reason: x, until: tomorrow }\napis: {}\n`],
  ['include', `${head}include: [nowhere.yaml]\napis: {}\n`],
] as const) {
  test(`reports the rule ${rule}`, async () => {
    assert.equal(await rulesOf(text), [rule]);
    assert.ok(diagnosticRules[rule].endsWith('.'));
  });
}

test('every rule is covered above', () => {
  assert.is(Object.keys(diagnosticRules).length, 13);
});

test.run();
