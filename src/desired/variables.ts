import type { Finding } from './finding.ts';
import type { Path } from './positions.ts';
import { isMap } from './yaml-value.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** Credentials never stand in the file, not even by name: what the file says is shown in plans. */
const secrets: ReadonlySet<string> = new Set(['HW_ACCESS_KEY', 'HW_SECRET_KEY', 'HW_SECURITY_TOKEN', 'HW_USER_PASSWORD', 'HW_AUTH_TOKEN']);

const reference = /\$\{([^}]*)\}/g;

/**
 * Returns the file's value with `${NAME}` replaced by the variable NAME in every text of the gateway block, and adds a
 * finding for each reference that cannot be replaced or stands elsewhere.
 */
export function substituteVariables(file: unknown, variables: Variables, findings: Finding[]): unknown {
  if (!isMap(file)) return file;
  return Object.fromEntries(
    Object.entries(file).map(([key, value]) => {
      if (key === 'gateway') return [key, mapTexts(value, [key], (text, path) => substitute(text, path, variables, findings))];
      mapTexts(value, [key], (text, path) => refuse(text, path, findings));
      return [key, value];
    }),
  );
}

function substitute(text: string, path: Path, variables: Variables, findings: Finding[]): string {
  return text.replace(reference, (whole, name: string) => {
    if (secrets.has(name)) {
      findings.push({
        path,
        at: 'value',
        message: `${whole} is a credential; credentials never stand in the file`,
        hint: `remove it: edict reads ${name} by itself`,
      });
      return 'unset';
    }
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined && value !== '') return value;
    const state = value === undefined ? 'not set' : 'empty';
    findings.push({
      path,
      at: 'value',
      message: `the environment variable ${name || '(no name)'} is ${state}`,
      hint: `set it where edict runs: export ${name || 'NAME'}=…`,
    });
    return 'unset';
  });
}

function refuse(text: string, path: Path, findings: Finding[]): string {
  for (const [whole] of text.matchAll(reference)) {
    findings.push({
      path,
      at: 'value',
      message: `${whole} stands outside of \`gateway\``,
      hint: 'environment variables are allowed in the gateway block only; write the value',
    });
  }
  return text;
}

function mapTexts(value: unknown, path: Path, each: (text: string, path: Path) => string): unknown {
  if (typeof value === 'string') return value.includes('${') ? each(value, path) : value;
  if (Array.isArray(value)) return value.map((item, index) => mapTexts(item, [...path, String(index)], each));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, [...path, key], each)]));
}
