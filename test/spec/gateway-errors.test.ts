import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import type { ErrorCodeTables } from '../../spec/gateway-errors-page.ts';
import { type ErrorClass, errorRules, findErrorRule } from '../../src/gateway/error-rules.ts';

const root = join(import.meta.dirname, '../..');
const tables = parse(readFileSync(join(root, 'spec/gateway-error-codes.yaml'), 'utf8')) as ErrorCodeTables;
const page = readFileSync(join(root, 'generated/reference/gateway-errors.md'), 'utf8');

/** Every code of the vendor's tables with its statuses; `null` where no table has one. */
const listed = [
  ...Object.entries(tables.service).map(([code, { statuses }]) => ({ codes: [code], statuses })),
  ...Object.entries(tables.frontGateway).map(([number, { statuses }]) => ({
    codes: ['APIG', 'APIGW', 'APIC'].map((prefix) => `${prefix}.${number}`),
    statuses,
  })),
].flatMap(({ codes, statuses }) => codes.map((code) => ({ code, statuses: statuses.length > 0 ? statuses : [null] })));

interface Row {
  readonly codes: readonly string[];
  readonly statuses: readonly (number | null)[];
  readonly errorClass: ErrorClass;
  readonly kinds: readonly ('online' | 'offline' | 'read')[];
  readonly nextStep: string;
}

/** The rows of the page, each with the reaction and the next step of its section. */
const rows: readonly Row[] = page.split(/^### /m).flatMap((section) => {
  const [, errorClass, onlyFor] = /^- Reaction: \*\*(\w+)\*\*(?:, for (\w+) only)?\.$/m.exec(section) ?? [];
  const kinds = (onlyFor === undefined ? ['online', 'offline', 'read'] : [onlyFor]) as Row['kinds'];
  const nextStep = /^- Next step: (.*)\.$/m.exec(section)?.[1] ?? '';
  return [...section.matchAll(/^\| ([A-Z]+\.\d{4}[^|]*) \| ([^|]*) \| ([^|]+) \|$/gm)].map(([, codes = '', statuses = '']) => ({
    codes: codes.split(', '),
    statuses: statuses === 'not given' ? [null] : statuses.split(', ').map(Number),
    errorClass: errorClass as ErrorClass,
    kinds,
    nextStep,
  }));
});

test('the page says of every code of the vendor, for each kind of request, what edict does', () => {
  for (const { code, statuses } of listed) {
    for (const status of statuses) {
      for (const kind of ['online', 'offline', 'read'] as const) {
        const rule = findErrorRule(code, status, kind);
        const row = rows.find(
          (one) =>
            one.codes.includes(code) &&
            one.statuses.includes(status) &&
            one.kinds.includes(kind) &&
            one.errorClass === rule.errorClass &&
            one.nextStep === (rule.hint ?? 'none'),
        );
        assert.ok(row, `${code} with ${status} for ${kind}: ${rule.errorClass}`);
      }
    }
  }
});

test('the page has no code that is in no table', () => {
  const known = new Set(listed.map(({ code }) => code));
  assert.equal(
    rows.flatMap(({ codes }) => codes).filter((code) => !known.has(code)),
    [],
  );
});

test('every code of a rule is on the page, and each of the service in a table of the vendor', () => {
  const known = new Set(listed.map(({ code }) => code));
  for (const { codes, statuses } of errorRules) {
    for (const code of codes) {
      if (statuses.length === 0) assert.ok(page.includes(code), code);
      else assert.ok(/^API\w+\.9xxx$/.test(code) || /\.0\d{3}$/.test(code) || known.has(code), code);
    }
  }
});

test('every status without a code is on the page', () => {
  for (const { codes, statuses, meaning } of errorRules) {
    if (codes.length === 0) assert.ok(page.includes(`### Any other ${statuses.join(', ')}: ${meaning}\n`), meaning);
  }
});

test('the tables of the vendor name at least the codes of the pages of the calls that edict makes', () => {
  for (const code of ['APIG.2011', 'APIG.2012', 'APIG.1002', 'APIG.1005', 'APIG.3002', 'APIG.3022', 'APIG.3030', 'APIG.9999']) {
    assert.ok(code in tables.service, code);
  }
  assert.ok(listed.length > 400, String(listed.length));
});

test.run();
