import { pathToFileURL } from 'node:url';
import type { EdictError, Mistake, MistakeRule } from '../core/errors.ts';
import { version } from '../words/version.ts';
import { mistakeRules } from './mistake-rules.ts';
import { repositoryPath } from './repository-path.ts';

/*
 * SARIF 2.1.0, the form in which code scanning takes what a program has found.
 */

const rules = Object.entries(mistakeRules) as readonly [MistakeRule, string][];

/** Returns the mistakes of a file as one SARIF log; without mistakes one that says that there are none. */
export function mistakesSarif(mistakes: readonly Mistake[]): string {
  return log(mistakes.map(result), { executionSuccessful: true });
}

/** Returns a SARIF log that says why the file could not be checked. */
export function errorSarif({ code, message, hint }: EdictError): string {
  const text = hint === null ? message : `${message}; ${hint}`;
  const told = { level: 'error', message: { text }, descriptor: { id: code } };
  return log([], { executionSuccessful: false, toolExecutionNotifications: [told] });
}

function log(results: readonly object[], invocation: object): string {
  const driver = {
    name: 'edict',
    version: version(),
    rules: rules.map(([id, text]) => ({ id, shortDescription: { text }, defaultConfiguration: { level: 'error' } })),
  };
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', invocations: [invocation], results };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

function result({ rule, file, line, column, length, message, hint }: Mistake): object {
  const region = { startLine: line, startColumn: column, endLine: line, endColumn: column + length };
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(([id]) => id === rule),
    level: 'error',
    message: { text: hint === null ? message : `${message}; ${hint}` },
    locations: [{ physicalLocation: { artifactLocation: artifactOf(file), region } }],
  };
}

/** A path within the checkout is relative to what code scanning calls the source's root. */
function artifactOf(file: string): object {
  const path = repositoryPath(file);
  if (path === null) return { uri: pathToFileURL(file).href };
  return { uri: path.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
}
