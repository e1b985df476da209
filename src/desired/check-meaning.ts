import type { Finding } from './finding.ts';
import { nearest } from './nearest.ts';
import type { Path } from './positions.ts';
import { isMap } from './yaml-value.ts';

type LineOf = (path: Path) => number;

/** How many declared environments a hint names. */
const maxListed = 10;

/**
 * Returns what no schema can see: an address that is none, an environment that is not declared, two names for one
 * environment, and one publication declared twice. Looks past values whose shape is wrong, since those are reported elsewhere.
 */
export function checkMeaning(file: unknown, lineOf: LineOf): Finding[] {
  const findings: Finding[] = [];
  for (const key of ['endpoint', 'iam']) {
    const address = textAt(objectAt(file, 'gateway'), key);
    if (address !== null && /^https?:/.test(address) && !URL.canParse(address)) {
      findings.push({
        path: ['gateway', key],
        at: 'value',
        message: `"${address}" is not an address`,
        hint: 'expected: https://HOST or https://HOST:PORT',
      });
    }
  }
  const idOf = new Map<string, string | null>();
  const firstById = new Map<string, Path>();
  for (const [name, setting] of entriesOf(file, 'environments')) {
    const id = typeof setting === 'string' ? setting : textAt(setting, 'id');
    idOf.set(name, id);
    if (id !== null) once(firstById, id, ['environments', name], `\`${name}\` is the same environment as`, findings, lineOf);
  }

  const declared = [...idOf.keys()];
  const firstByPublication = new Map<string, Path>();
  for (const [api, setting] of entriesOf(file, 'apis')) {
    const apiId = textAt(setting, 'id');
    for (const environment of Object.keys(objectAt(setting, 'environments'))) {
      const path = ['apis', api, 'environments', environment];
      const environmentId = idOf.get(environment);
      if (environmentId === undefined) findings.push(undeclared(path, environment, declared));
      if (apiId === null || !environmentId) continue;
      once(firstByPublication, `${apiId} ${environmentId}`, path, `${api} in ${environment} is the same publication as`, findings, lineOf);
    }
  }
  return findings;
}

function once(seen: Map<string, Path>, what: string, path: Path, message: string, findings: Finding[], lineOf: LineOf): void {
  const first = seen.get(what);
  if (!first) {
    seen.set(what, path);
    return;
  }
  const name = first[0] === 'apis' ? `${first[1]} in ${first[3]}` : `\`${first[1]}\``;
  findings.push({
    path,
    at: 'key',
    message: `${message} ${name} in line ${lineOf(first)}: the IDs are equal`,
    hint: 'correct an ID, or remove one of the two',
  });
}

function undeclared(path: Path, environment: string, declared: readonly string[]): Finding {
  const near = nearest(environment, declared);
  const more = declared.length > maxListed ? `, and ${declared.length - maxListed} more` : '';
  const list = declared.length > 0 ? `declared: ${declared.slice(0, maxListed).join(', ')}${more}` : 'none is declared';
  return {
    path,
    at: 'key',
    message: `the environment \`${environment}\` is not declared under \`environments\``,
    hint: near ? `did you mean \`${near}\`? (${list})` : list,
  };
}

function entriesOf(value: unknown, key: string): [string, unknown][] {
  return Object.entries(objectAt(value, key));
}

function objectAt(value: unknown, key: string): Record<string, unknown> {
  const inner = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isMap(inner) ? inner : {};
}

function textAt(value: unknown, key: string): string | null {
  const text = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof text === 'string' ? text : null;
}
