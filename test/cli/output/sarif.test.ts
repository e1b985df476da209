import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDiagnosticsSarif, renderErrorSarif } from '../../../src/cli/output/sarif.ts';
import { type Diagnostic, EdictError } from '../../../src/model/errors.ts';
import { diagnosticRules } from '../../../src/render/diagnostic.ts';
import { scratchFolder } from '../../support/edict-process.ts';

interface Log {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: { readonly name: string; readonly version: string; readonly rules: readonly { readonly id: string }[] };
      };
      readonly columnKind: string;
      readonly invocations: readonly [{ readonly executionSuccessful: boolean; readonly toolExecutionNotifications?: readonly object[] }];
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly level: string;
        readonly message: { readonly text: string };
        readonly locations: readonly { readonly physicalLocation: { readonly artifactLocation: object; readonly region: object } }[];
      }[];
    },
  ];
}

const root = scratchFolder();
mkdirSync(join(root, '.git'));
const diagnostic: Diagnostic = {
  ...{ rule: 'invalid-value', file: join(root, 'my apis/é:1.yaml'), line: 12, column: 5, length: 3 },
  ...{ message: 'wrong', hint: 'do this', excerpt: { text: '    bad: x', column: 1 } },
};
const logOf = (...diagnostics: readonly Diagnostic[]): Log => JSON.parse(renderDiagnosticsSarif(diagnostics)) as Log;

test('the log has its version, tool and rules', () => {
  const { version, $schema, runs } = logOf(diagnostic);
  assert.equal([version, $schema, runs.length], ['2.1.0', 'https://json.schemastore.org/sarif-2.1.0.json', 1]);
  const { driver } = runs[0].tool;
  assert.is(driver.name, 'edict');
  assert.match(driver.version, /^\d+\.\d+\.\d+/);
  assert.equal(
    driver.rules.map(({ id }) => id),
    Object.keys(diagnosticRules),
  );
  assert.is(runs[0].columnKind, 'utf16CodeUnits');
});

test('each error is a result with its rule, message and path from the root of the checkout', () => {
  const { results, tool } = logOf(diagnostic, { ...diagnostic, rule: 'freeze', hint: null }).runs[0];
  const [first, second] = results;
  assert.equal(first?.locations, [
    {
      physicalLocation: {
        artifactLocation: { uri: 'my%20apis/%C3%A9%3A1.yaml', uriBaseId: '%SRCROOT%' },
        region: { startLine: 12, startColumn: 5, endLine: 12, endColumn: 8 },
      },
    },
  ]);
  assert.equal([first?.level, first?.message.text, first?.ruleId], ['error', 'wrong; do this', 'invalid-value']);
  assert.is(second?.message.text, 'wrong');
  for (const { ruleId, ruleIndex } of results) assert.is(tool.driver.rules[ruleIndex]?.id, ruleId);
});

test('a file outside any checkout has an absolute URI', () => {
  const file = join(scratchFolder(), 'edict.yaml');
  const { artifactLocation } = logOf({ ...diagnostic, file }).runs[0].results[0]?.locations[0]?.physicalLocation ?? {};
  assert.equal(artifactLocation, { uri: pathToFileURL(file).href });
});

test('the text of the file is not in the log', () => {
  assert.not.match(renderDiagnosticsSarif([diagnostic]), 'bad: x');
});

test('without errors the log has no results, so that code scanning closes its alerts', () => {
  const [run] = logOf().runs;
  assert.equal([run.results, run.invocations], [[], [{ executionSuccessful: true }]]);
});

test('a file that cannot be checked is a failed run', () => {
  const { runs } = JSON.parse(renderErrorSarif(new EdictError('FILE_NOT_FOUND', 'no file', { hint: 'name it' }))) as Log;
  assert.equal(runs[0].invocations, [
    {
      executionSuccessful: false,
      toolExecutionNotifications: [{ level: 'error', message: { text: 'no file; name it' }, descriptor: { id: 'FILE_NOT_FOUND' } }],
    },
  ]);
});

test.run();
