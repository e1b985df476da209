import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PathDiagnostic } from '../../src/source/path-diagnostic.ts';
import { substituteVariables } from '../../src/source/variables.ts';

const variable = (name: string): string => `$\{${name}}`;

/** Returns what becomes of a file, and the path and message of each finding. */
function substituted(file: unknown, variables: Record<string, string | undefined> = {}): { value: unknown; findings: [string, string][] } {
  const findings: PathDiagnostic[] = [];
  const value = substituteVariables(file, variables, findings);
  return { value, findings: findings.map(({ path, message }) => [path.join('.'), message]) };
}

test('takes variables anywhere in the texts of the gateway block', () => {
  const file = { gateway: { project: variable('P'), nested: { list: [`${variable('P')}-${variable('Q')}`, 7] } }, apis: { a: 'text' } };
  const expected = { gateway: { project: 'p', nested: { list: ['p-$& q', 7] } }, apis: { a: 'text' } };
  assert.equal(substituted(file, { P: 'p', Q: '$& q' }), { value: expected, findings: [] });
});

test('a value is not looked at once more', () => {
  assert.equal(substituted({ gateway: variable('P') }, { P: variable('Q') }), { value: { gateway: variable('Q') }, findings: [] });
});

test('says which variables are not set, or empty', () => {
  const file = { gateway: { a: `${variable('NONE')} ${variable('EMPTY')} ${variable('')} ${variable('constructor')}` } };
  const { findings } = substituted(file, { EMPTY: '' });
  assert.equal(findings, [
    ['gateway.a', 'the environment variable NONE is not set'],
    ['gateway.a', 'the environment variable EMPTY is empty'],
    ['gateway.a', 'the environment variable (no name) is not set'],
    ['gateway.a', 'the environment variable constructor is not set'],
  ]);
});

test('refuses credentials, and never shows one', () => {
  for (const name of ['HW_ACCESS_KEY', 'HW_SECRET_KEY', 'HW_SECURITY_TOKEN', 'HW_USER_PASSWORD', 'HW_AUTH_TOKEN']) {
    const { value, findings } = substituted({ gateway: { project: variable(name) } }, { [name]: 'the-secret' });
    assert.equal(findings, [['gateway.project', `${variable(name)} is a credential; credentials are not allowed in the file`]]);
    assert.not.match(JSON.stringify(value), 'the-secret');
  }
});

test('refuses variables elsewhere and leaves them as they stand', () => {
  const file = { apis: { a: { remark: `${variable('P')} and ${variable('P')}`, list: [variable('P')] } } };
  const { value, findings } = substituted(file, { P: 'p' });
  assert.equal(value, file);
  assert.equal(
    findings.map(([path]) => path),
    ['apis.a.remark', 'apis.a.remark', 'apis.a.list.0'],
  );
});

test('what is no reference stays', () => {
  const file = { gateway: { a: '$P', b: '$', c: `$\{P`, d: '{P}', e: '%P%' } };
  assert.equal(substituted(file, { P: 'p' }), { value: file, findings: [] });
});

test('leaves its input as it was, and anything that is no map', () => {
  const file = { gateway: { project: variable('P') } };
  substituted(file, { P: 'p' });
  assert.is(file.gateway.project, variable('P'));
  for (const other of [null, [variable('P')], variable('P'), 7]) assert.equal(substituted(other).value, other);
});

test.run();
