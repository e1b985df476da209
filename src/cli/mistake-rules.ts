import type { DiagnosticRule } from '../core/errors.ts';

/** What each kind of mistake is, in the order in which programs that list them do. */
export const diagnosticRules: Readonly<Record<DiagnosticRule, string>> = {
  yaml: 'The text is not YAML, or uses more of it than an edict file may.',
  'duplicate-key': 'A key stands twice in one map.',
  'unknown-key': 'A key is not one that the file may have there.',
  'missing-key': 'A key is missing.',
  value: 'A name or a value is not one that is allowed there.',
  variable: 'An environment variable is not set, is a credential, or stands where none may.',
  'undeclared-environment': 'An environment is named that the file does not declare.',
  'declared-twice': 'The same environment or publication is declared twice.',
  'unknown-name': 'The gateway has nothing, or more than one, of this name.',
  'spare-key': 'A key says nothing beside another one.',
  order: 'The order of environments, its soaks or its probes make no sense.',
  freeze: 'A freeze or a suspension makes no sense.',
  include: 'A file that is to be included cannot be had.',
};
