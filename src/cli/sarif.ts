import { pathToFileURL } from 'node:url';
import type { Diagnostic, DiagnosticRule, EdictError } from '../core/errors.ts';
import { readVersion } from '../words/version.ts';
import { diagnosticRules } from './mistake-rules.ts';
import { repositoryPath } from './repository-path.ts';

/*
 * SARIF 2.1.0, the form in which code scanning takes what a program has found.
 */

const rules = Object.entries(diagnosticRules) as readonly [DiagnosticRule, string][];

/** Returns the mistakes of a file as one SARIF log; without mistakes one that says that there are none. */
export function renderDiagnosticsSarif(mistakes: readonly Diagnostic[]): string {
  return sarifLog(mistakes.map(sarifResult), { executionSuccessful: true });
}

/** Returns a SARIF log that says why the file could not be checked. */
export function renderErrorSarif({ code, message, hint }: EdictError): string {
  const text = hint === null ? message : `${message}; ${hint}`;
  const told = { level: 'error', message: { text }, descriptor: { id: code } };
  return sarifLog([], { executionSuccessful: false, toolExecutionNotifications: [told] });
}

function sarifLog(results: readonly object[], invocation: object): string {
  const driver = {
    name: 'edict',
    version: readVersion(),
    rules: rules.map(([id, text]) => ({ id, shortDescription: { text }, defaultConfiguration: { level: 'error' } })),
  };
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', invocations: [invocation], results };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

function sarifResult({ rule, file, line, column, length, message, hint }: Diagnostic): object {
  const region = { startLine: line, startColumn: column, endLine: line, endColumn: column + length };
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(([id]) => id === rule),
    level: 'error',
    message: { text: hint === null ? message : `${message}; ${hint}` },
    locations: [{ physicalLocation: { artifactLocation: artifactLocation(file), region } }],
  };
}

/** A path within the checkout is relative to what code scanning calls the source's root. */
function artifactLocation(file: string): object {
  const path = repositoryPath(file);
  if (path === null) return { uri: pathToFileURL(file).href };
  return { uri: path.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
}
