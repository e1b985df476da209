import { fileVariables, isFileVariable } from '../model/env.ts';
import type { FirstDiagnostics } from './path-diagnostic.ts';
import type { KeyPath } from './yaml/source-ranges.ts';
import { isMap } from './yaml/value.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** Receives the name of an allowed variable that is not set. */
export type OnUnsetVariable = (name: string) => void;

export interface SubstitutionOptions {
  readonly variables: Variables;
  /** Called for an allowed variable that is not set or empty; its value is then a placeholder. Default: it is an error. */
  readonly onUnset?: OnUnsetVariable | undefined;
  readonly diagnostics: FirstDiagnostics;
}

/** The keys of `gateway` in which variables are replaced, with a valid value that stands for one with an error. */
const placeholders: Readonly<Record<string, string>> = {
  endpoint: 'https://placeholder.invalid',
  iam: 'https://placeholder.invalid',
  project: 'placeholder',
  instance: 'placeholder',
};

/** Longer texts are not valid anywhere in the gateway block, and their variables could make them longer than any string may be. */
const maxTextLength = 2048;

/** No name is longer. A pattern without a limit would take quadratic time for text with many `${`. */
const referencePattern = /\$\{([^}]{0,200})\}/g;

/**
 * Returns the file's value with `${NAME}` replaced by the variable NAME in `endpoint`, `iam`, `project` and `instance` of the gateway, and
 * adds a diagnostic for each reference elsewhere or to a variable that is not allowed or not set. No diagnostic has the value of a variable.
 */
export function substituteVariables(file: unknown, options: SubstitutionOptions): unknown {
  if (!isMap(file)) return file;
  return Object.fromEntries(
    Object.entries(file).map(([key, value]) => {
      if (key === 'gateway' && isMap(value)) return [key, substituteGateway(value, options)];
      reportVariables(value, options.diagnostics, [key]);
      return [key, value];
    }),
  );
}

function substituteGateway(gateway: Readonly<Record<string, unknown>>, options: SubstitutionOptions): unknown {
  return Object.fromEntries(
    Object.entries(gateway).map(([key, value]) => {
      const placeholder = Object.hasOwn(placeholders, key) ? placeholders[key] : undefined;
      if (placeholder !== undefined && typeof value === 'string')
        return [key, substitute(value, ['gateway', key], { ...options, placeholder })];
      reportVariables(value, options.diagnostics, ['gateway', key]);
      return [key, value];
    }),
  );
}

/** An expression such as `${{ vars.NAME }}`. Without a limit, the pattern would take quadratic time. */
const expressionPattern = /\$\{\{([^{}]{0,200})\}\}/;

/** Returns the text with its references replaced; `placeholder` if one of them cannot be. */
function substitute(
  text: string,
  path: KeyPath,
  { variables, onUnset, diagnostics, placeholder }: SubstitutionOptions & { readonly placeholder: string },
): string {
  if (text.length > maxTextLength) return text;
  let isComplete = true;
  const report = (message: string, hint: string): void => diagnostics.push({ path, target: 'value', message, hint });
  const expression = expressionPattern.exec(text);
  if (expression) {
    const last = (/\w+$/.exec(expression[1]?.trimEnd() ?? '')?.[0] ?? 'NAME').toUpperCase();
    const name = isFileVariable(last) ? last : `EDICT_VAR_${last}`;
    report(
      `${expression[0]} is an expression of GitHub Actions, which edict does not evaluate`,
      `set ${name} in the \`env\` of the step, and write \`\${${name}}\``,
    );
    return placeholder;
  }
  const substituted = text.replace(referencePattern, (whole, name: string) => {
    const value = isFileVariable(name) && Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined && value !== '') return value;
    isComplete = false;
    if (!isFileVariable(name)) {
      report(`${whole} is not a variable that a file may use`, hintForName(name));
    } else if (onUnset) onUnset(name);
    else
      report(
        `the environment variable ${name} is ${value === undefined ? 'not set' : 'empty'}`,
        `set it where edict runs: export ${name}=…`,
      );
    return '';
  });
  return isComplete ? substituted : placeholder;
}

/** Returns what to do about a variable that a file may not use. */
function hintForName(name: string): string {
  const [, bare = name, rest = ''] = /^\s*(?:(?:vars?|env|local|secrets)\.)?(\w*)(.*)$/s.exec(name) ?? [];
  const upper = bare.toUpperCase();
  if (isFileVariable(upper) && rest !== '') return `write \`\${${upper}}\`; a default value is not supported`;
  if (isFileVariable(upper)) return `did you mean \`\${${upper}}\`?`;
  const allowed = `allowed: ${fileVariables}`;
  // Only a name that is no credential may be copied to another variable.
  if (bare === '' || /KEY|SECRET|TOKEN|PASS|CREDENTIAL|AUTH/.test(upper))
    return `${allowed}; credentials are read from their variables directly`;
  return `${allowed}; set EDICT_VAR_${upper} and write \`\${EDICT_VAR_${upper}}\``;
}

/** Returns the names of the variables that are replaced in the value at `path`, as people read them; `null` if there is none. */
export function describeReplaced([block, key = '', ...inner]: KeyPath, text: unknown): string | null {
  if (block !== 'gateway' || !Object.hasOwn(placeholders, key) || inner.length > 0 || typeof text !== 'string') return null;
  const names = new Set([...text.matchAll(referencePattern)].flatMap(([, name = '']) => (isFileVariable(name) ? [name] : [])));
  return names.size === 0 ? null : `the variable${names.size === 1 ? '' : 's'} ${[...names].join(', ')}`;
}

/** APIs without references. One that an edit leaves as it is keeps its value, see `toPlainValue`. */
const withoutReferences = new WeakSet<object>();

/** Adds a diagnostic for each reference to a variable in `value`, where none is replaced. */
export function reportVariables(value: unknown, diagnostics: FirstDiagnostics, path: KeyPath = []): void {
  if (diagnostics.isFull) return;
  if (typeof value === 'string') reportReferences(value, diagnostics, path);
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) reportVariables(item, diagnostics, [...path, String(index)]);
  else if (isMap(value)) {
    const isApi = path.length === 2 && path[0] === 'apis';
    if (isApi && withoutReferences.has(value)) return;
    if (isApi && !hasReference(value)) withoutReferences.add(value);
    else for (const [key, item] of Object.entries(value)) reportVariables(item, diagnostics, [...path, key]);
  }
}

function hasReference(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${');
  return typeof value === 'object' && value !== null && Object.values(value).some(hasReference);
}

function reportReferences(text: string, diagnostics: FirstDiagnostics, path: KeyPath): void {
  const expression = expressionPattern.exec(text);
  if (expression) {
    const message = `${expression[0]} is an expression of GitHub Actions, which edict does not evaluate`;
    diagnostics.push({ path, target: 'value', message, hint: 'write the value instead' });
    return;
  }
  for (const [whole, name] of text.matchAll(referencePattern)) {
    if (diagnostics.isFull) return;
    diagnostics.push({
      path,
      target: 'value',
      message: `${whole} is used where variables are not replaced`,
      hint:
        name === 'api' || name === 'environment'
          ? `write \`{${name}}\` without \`$\` in the URL of a probe`
          : `variables are replaced only in ${Object.keys(placeholders).join(', ')} of \`gateway\`; write the value instead`,
    });
  }
}
