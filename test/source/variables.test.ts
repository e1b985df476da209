import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PathDiagnostic } from '../../src/source/path-diagnostic.ts';
import { substituteVariables } from '../../src/source/variables.ts';

const variable = (name: string): string => `$\{${name}}`;

/** Returns the result for a file, and the path and message of each diagnostic. */
function substituted(
  file: unknown,
  variables: Record<string, string | undefined> = {},
): { value: unknown; diagnostics: [string, string][] } {
  const diagnostics: PathDiagnostic[] = [];
  const value = substituteVariables(file, variables, diagnostics);
  return { value, diagnostics: diagnostics.map(({ path, message }) => [path.join('.'), message]) };
}

test('replaces variables anywhere in the strings of the gateway block', () => {
  const file = { gateway: { project: variable('P'), nested: { list: [`${variable('P')}-${variable('Q')}`, 7] } }, apis: { a: 'text' } };
  const expected = { gateway: { project: 'p', nested: { list: ['p-$& q', 7] } }, apis: { a: 'text' } };
  assert.equal(substituted(file, { P: 'p', Q: '$& q' }), { value: expected, diagnostics: [] });
});

test('a substituted value is not substituted again', () => {
  assert.equal(substituted({ gateway: variable('P') }, { P: variable('Q') }), { value: { gateway: variable('Q') }, diagnostics: [] });
});

test('reports variables that are not set or empty', () => {
  const file = { gateway: { a: `${variable('NONE')} ${variable('EMPTY')} ${variable('')} ${variable('constructor')}` } };
  const { diagnostics } = substituted(file, { EMPTY: '' });
  assert.equal(diagnostics, [
    ['gateway.a', 'the environment variable NONE is not set'],
    ['gateway.a', 'the environment variable EMPTY is empty'],
    ['gateway.a', 'the environment variable (no name) is not set'],
    ['gateway.a', 'the environment variable constructor is not set'],
  ]);
});

test('rejects credentials, and never shows one', () => {
  const given = ['HW_ACCESS_KEY', 'HW_SECRET_KEY', 'HW_SECURITY_TOKEN', 'HW_USER_PASSWORD', 'HW_AUTH_TOKEN'];
  const others = ['EDICT_STATE', 'EDICT_TOKEN', 'EDICT_WEBHOOK_URL', 'EDICT_WEBHOOK_SECRET', 'PGPASSWORD'];
  for (const name of [...given, ...others]) {
    const { value, diagnostics } = substituted({ gateway: { project: variable(name) } }, { [name]: 'the-secret' });
    assert.equal(diagnostics, [['gateway.project', `${variable(name)} is a credential; credentials are not allowed in the file`]]);
    assert.not.match(JSON.stringify(value), 'the-secret');
  }
});

test('rejects variables elsewhere and does not replace them', () => {
  const file = { apis: { a: { remark: `${variable('P')} and ${variable('P')}`, list: [variable('P')] } } };
  const { value, diagnostics } = substituted(file, { P: 'p' });
  assert.equal(value, file);
  assert.equal(
    diagnostics.map(([path]) => path),
    ['apis.a.remark', 'apis.a.remark', 'apis.a.list.0'],
  );
});

test('text that is not a reference is unchanged', () => {
  const file = { gateway: { a: '$P', b: '$', c: `$\{P`, d: '{P}', e: '%P%' } };
  assert.equal(substituted(file, { P: 'p' }), { value: file, diagnostics: [] });
});

test('does not change its input, nor values that are not maps', () => {
  const file = { gateway: { project: variable('P') } };
  substituted(file, { P: 'p' });
  assert.is(file.gateway.project, variable('P'));
  for (const other of [null, [variable('P')], variable('P'), 7]) assert.equal(substituted(other).value, other);
});

test.run();
