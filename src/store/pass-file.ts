import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EdictError } from '../core/errors.ts';

/** Where a password is for. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
}

/** `host:port:database:user:password`; a backslash takes the meaning from a colon, as postgresql.org/docs/current/libpq-pgpass.html has it. */
const fields = new RegExp(`^${Array(5).fill('((?:\\\\.|[^:\\\\])*)').join(':')}`);

/**
 * Returns the password that libpq's password file has for a login, `null` if it has none or is not there.
 *
 * @throws EdictError `STORE_SETTING` for a file that others may read, or that this user may not
 */
export function passwordIn(path: string, { host, port, database, user }: Login): string | null {
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file?.isFile()) return null;
  if (process.platform !== 'win32' && (file.mode & 0o077) !== 0) {
    throw new EdictError('STORE_SETTING', `the password file ${path} may be read by others than its owner`, { hint: `chmod 600 ${path}` });
  }
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
  for (const line of contentOf(path, 'PGPASSFILE').split(/\r?\n/)) {
    const [, ...found] = line.startsWith('#') ? [] : (fields.exec(line) ?? []);
    const [password, ...pattern] = [found.pop(), ...found].map((field) => field?.replace(/\\(.)/g, '$1'));
    if (password !== undefined && pattern.every((field, index) => field === '*' || field === wanted[index])) return password;
  }
  return null;
}

/** Returns where libpq's password file is; `null` without a home, as for a user whom the system does not know. */
export function passFile(environment: Readonly<Record<string, string | undefined>>, home: () => string): string | null {
  const named = environment['PGPASSFILE'];
  if (named) return named;
  try {
    return join(home(), '.pgpass');
  } catch {
    return null;
  }
}

/** Returns the text of the file that `name` names. Throws an EdictError `STORE_SETTING` for one that cannot be read. */
export function contentOf(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new EdictError('STORE_SETTING', `${name} names a file that cannot be read: ${(error as Error).message}`, {
      hint: 'name one that is there, and that the user may read as whom edict runs',
      cause: error,
    });
  }
}
