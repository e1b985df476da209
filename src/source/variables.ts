import { credentialVariables } from '../model/env.ts';
import type { PathDiagnostic } from './path-diagnostic.ts';
import type { KeyPath } from './yaml/source-ranges.ts';
import { isMap } from './yaml/value.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

const referencePattern = /\$\{([^}]*)\}/g;

/**
 * Returns the file's value with `${NAME}` replaced by the variable NAME in the gateway block, and adds a diagnostic for each
 * reference that cannot be replaced or is outside it.
 */
export function substituteVariables(file: unknown, variables: Variables, diagnostics: PathDiagnostic[]): unknown {
  if (!isMap(file)) return file;
  return Object.fromEntries(
    Object.entries(file).map(([key, value]) => {
      if (key === 'gateway') return [key, mapStrings(value, [key], (text, path) => substitute(text, path, { variables, diagnostics }))];
      mapStrings(value, [key], (text, path) => reportMisplaced(text, path, diagnostics));
      return [key, value];
    }),
  );
}

function substitute(
  text: string,
  path: KeyPath,
  { variables, diagnostics }: { readonly variables: Variables; readonly diagnostics: PathDiagnostic[] },
): string {
  return text.replace(referencePattern, (whole, name: string) => {
    if (credentialVariables.some((variable) => variable === name)) {
      diagnostics.push({
        path,
        target: 'value',
        message: `${whole} is a credential; credentials are not allowed in the file`,
        hint: `remove it: edict reads ${name} directly`,
      });
      return 'unset';
    }
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined && value !== '') return value;
    const state = value === undefined ? 'not set' : 'empty';
    diagnostics.push({
      path,
      target: 'value',
      message: `the environment variable ${name || '(no name)'} is ${state}`,
      hint: `set it where edict runs: export ${name || 'NAME'}=…`,
    });
    return 'unset';
  });
}

function reportMisplaced(text: string, path: KeyPath, diagnostics: PathDiagnostic[]): string {
  for (const [whole] of text.matchAll(referencePattern)) {
    diagnostics.push({
      path,
      target: 'value',
      message: `${whole} is used outside \`gateway\``,
      hint: 'environment variables are allowed only in the gateway block; write the value instead',
    });
  }
  return text;
}

function mapStrings(value: unknown, path: KeyPath, each: (text: string, path: KeyPath) => string): unknown {
  if (typeof value === 'string') return value.includes('${') ? each(value, path) : value;
  if (Array.isArray(value)) return value.map((item, index) => mapStrings(item, [...path, String(index)], each));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, [...path, key], each)]));
}
