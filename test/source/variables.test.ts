import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FirstDiagnostics } from '../../src/source/path-diagnostic.ts';
import { substituteVariables } from '../../src/source/variables.ts';

const variable = (name: string): string => `$\{${name}}`;

/** Returns the result for a file, the path and message of each diagnostic, and the names of variables with placeholders. */
function substituted(file: unknown, variables: Record<string, string | undefined> = {}, takesPlaceholders = false) {
  const diagnostics = new FirstDiagnostics();
  const unset: string[] = [];
  const value = substituteVariables(file, {
    variables,
    diagnostics,
    ...(takesPlaceholders && { onUnset: (name: string) => unset.push(name) }),
  });
  const others = diagnostics.list.reduce((sum, { others: more }) => sum + (more?.count ?? 0), 0);
  return { value, diagnostics: diagnostics.list.map(({ path, message }) => [path.join('.'), message]), others, unset };
}

test('replaces the allowed variables in endpoint, iam, project and instance', () => {
  const [project, region, other] = [variable('HW_PROJECT_ID'), variable('HW_REGION_NAME'), variable('EDICT_VAR_2')];
  const file = { gateway: { endpoint: `https://${region}`, iam: other, project, instance: `${project}-${other}` }, apis: { a: 'text' } };
  const { value, diagnostics } = substituted(file, { HW_PROJECT_ID: 'p', HW_REGION_NAME: 'r', EDICT_VAR_2: '$& q' });
  assert.equal(diagnostics, []);
  assert.equal(value, { gateway: { endpoint: 'https://r', iam: '$& q', project: 'p', instance: 'p-$& q' }, apis: { a: 'text' } });
});

test('a substituted value is not substituted again', () => {
  const { value, diagnostics } = substituted({ gateway: { project: variable('EDICT_VAR_P') } }, { EDICT_VAR_P: variable('EDICT_VAR_P') });
  assert.equal([value, diagnostics], [{ gateway: { project: variable('EDICT_VAR_P') } }, []]);
});

test('reports allowed variables that are not set or empty, and only those are optional', () => {
  const file = { gateway: { project: `${variable('EDICT_VAR_NONE')} ${variable('HW_PROJECT_ID')}`, endpoint: variable('HW_REGION_NAME') } };
  const { value, diagnostics } = substituted(file, { HW_PROJECT_ID: '' });
  assert.equal(diagnostics, [
    ['gateway.project', 'the environment variable EDICT_VAR_NONE is not set'],
    ['gateway.project', 'the environment variable HW_PROJECT_ID is empty'],
    ['gateway.endpoint', 'the environment variable HW_REGION_NAME is not set'],
  ]);
  const placeholders = { gateway: { project: 'placeholder', endpoint: 'https://placeholder.invalid' } };
  assert.equal(value, placeholders);
  const lenient = substituted(file, { HW_PROJECT_ID: '' }, true);
  assert.equal(lenient, { value: placeholders, diagnostics: [], others: 0, unset: ['EDICT_VAR_NONE', 'HW_PROJECT_ID', 'HW_REGION_NAME'] });
  assert.is(substituted({ gateway: { project: variable('EDICT_TOKEN') } }, {}, true).diagnostics.length, 1);
});

test('rejects every other variable, and never shows its value', () => {
  const names = ['HW_ACCESS_KEY', 'HW_AUTH_TOKEN', 'EDICT_TOKEN', 'PGPASSWORD', 'HOME', 'EDICT_VAR_', 'EDICT_VAR_a', 'XEDICT_VAR_A'];
  for (const name of [...names, 'HW_PROJECT_ID ', 'hw_project_id', 'HW_PROJECT_ID\n', 'constructor', '__proto__', '']) {
    const { value, diagnostics } = substituted({ gateway: { project: variable(name) } }, { [name]: 'the-secret' });
    assert.equal(diagnostics, [['gateway.project', `${variable(name)} is not a variable that a file may use`]]);
    assert.not.match(JSON.stringify(value), 'the-secret');
  }
});

test('rejects variables elsewhere and does not replace them', () => {
  const P = variable('EDICT_VAR_P');
  const file = { apis: { a: { remark: `${P} and ${P}`, list: [P] } }, gateway: { timeout: P, limit: { per: P }, project: [P] } };
  const { value, diagnostics, others } = substituted(file, { EDICT_VAR_P: 'p' });
  assert.equal(value, file);
  assert.equal(
    diagnostics.map(([path]) => path),
    ['apis.a.remark'],
  );
  assert.is(others, 5, 'in `apis.a.remark` again, `list`, `timeout`, `per` and `project`');
  assert.is(substituted({ gateway: P }, { EDICT_VAR_P: 'p' }).diagnostics.length, 1);
});

test('text that is not a reference is unchanged', () => {
  const file = { gateway: { endpoint: '$P', iam: '$', project: `$\{P`, instance: '{P}' }, remark: '%P%' };
  const { value, diagnostics } = substituted(file, { EDICT_VAR_P: 'p' });
  assert.equal([value, diagnostics], [file, []]);
});

test('does not change its input, nor values that are not maps', () => {
  const file = { gateway: { project: variable('EDICT_VAR_P') } };
  substituted(file, { EDICT_VAR_P: 'p' });
  assert.is(file.gateway.project, variable('EDICT_VAR_P'));
  for (const other of [null, [variable('P')], variable('P'), 7]) assert.equal(substituted(other).value, other);
});

test('takes time in proportion to the text', () => {
  const startedAt = performance.now();
  substituted({ remark: '${'.repeat(500_000), gateway: { project: '${'.repeat(500_000) } });
  assert.ok(performance.now() - startedAt < 10_000);
});

test.run();
