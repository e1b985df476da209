import type { Diagnostic, DiagnosticRule } from '../model/errors.ts';

/** The description of each diagnostic rule, in the order in which SARIF viewers list them. */
export const diagnosticRules: Readonly<Record<DiagnosticRule, string>> = {
  yaml: 'The text is not valid YAML, or uses YAML features that are not allowed.',
  'duplicate-key': 'A map has the same key more than once.',
  'unknown-key': 'The key is not allowed here.',
  'missing-key': 'A required key is missing.',
  'invalid-value': 'The value or name is not allowed here.',
  variable: 'An environment variable is unset, is none that a file may use, or is used where variables are not replaced.',
  'undeclared-environment': 'The environment is not declared in the file.',
  'duplicate-declaration': 'An environment, API or publication is declared more than once.',
  'unknown-name': 'No resource at the gateway, or more than one, has this name.',
  'redundant-key': 'The key has no effect beside another key.',
  rollout: 'The rollout, or a soak or probe of it, is invalid.',
  freeze: 'A freeze or suspension is invalid.',
  include: 'An included file is missing or cannot be read.',
};

/**
 * Returns a diagnostic for readers who may not read the file: the page, the API, logs and notifications. Its message and hint may quote the
 * file, and a file that is included by mistake has secrets on any line, so that only its place and its rule are kept.
 */
export function withoutSource({ rule, file, line, column, length }: Diagnostic): Omit<Diagnostic, 'excerpt'> {
  return {
    rule,
    file,
    line,
    column,
    length,
    message: diagnosticRules[rule].slice(0, -1),
    hint: '`edict validate` shows the cause',
  };
}
