import { pathToFileURL } from 'node:url';
import type { Diagnostic, DiagnosticRule, EdictError } from '../../model/errors.ts';
import { toJson, visible } from '../../model/visible.ts';
import { diagnosticRules } from '../../render/diagnostic.ts';
import { readVersion } from '../../render/version.ts';
import { repositoryPath } from '../repository-path.ts';

/*
 * SARIF 2.1.0, the format that code scanning services read.
 */

const rules = Object.entries(diagnosticRules) as readonly [DiagnosticRule, string][];

/** Returns the diagnostics of a file as one SARIF log, with empty results for a valid file. */
export function renderDiagnosticsSarif(diagnostics: readonly Diagnostic[]): string {
  return sarifLog(diagnostics.map(sarifResult), { executionSuccessful: true });
}

/** Returns a SARIF log with the error that prevented the check. */
export function renderErrorSarif({ code, message, hint }: EdictError): string {
  const text = visible(hint === null ? message : `${message}; ${hint}`);
  const notification = { level: 'error', message: { text }, descriptor: { id: code } };
  return sarifLog([], { executionSuccessful: false, toolExecutionNotifications: [notification] });
}

function sarifLog(results: readonly object[], invocation: object): string {
  const driver = {
    name: 'edict',
    version: readVersion(),
    rules: rules.map(([id, text]) => ({ id, shortDescription: { text }, defaultConfiguration: { level: 'error' } })),
  };
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', invocations: [invocation], results };
  return `${toJson({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, 2)}\n`;
}

function sarifResult({ rule, file, line, column, length, message, hint }: Diagnostic): object {
  const region = { startLine: line, startColumn: column, endLine: line, endColumn: column + length };
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(([id]) => id === rule),
    level: 'error',
    message: { text: visible(hint === null ? message : `${message}; ${hint}`) },
    locations: [{ physicalLocation: { artifactLocation: artifactLocation(file), region } }],
  };
}

/** Returns the location of a file: relative to `%SRCROOT%` inside the checkout, otherwise absolute. */
function artifactLocation(file: string): object {
  const path = repositoryPath(file);
  if (path === null) return { uri: pathToFileURL(file).href };
  return {
    uri: path
      .split('/')
      .map((name) => encodeURIComponent(name.toWellFormed()))
      .join('/'),
    uriBaseId: '%SRCROOT%',
  };
}
