import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { CredentialVariable, Env } from '../../model/env.ts';
import { errorMessage } from '../../model/errors.ts';
import { CredentialsError } from '../errors.ts';

/** The shortest time between two reads of a file, in milliseconds, so that not every request reads the disk. */
const rereadMs = 500;

/** How long a read may take, in milliseconds: on a hung mount it never ends. */
const readTimeLimitMs = 5000;

/** The maximum size of a file. A token has a few thousand characters. */
const maxBytes = 64 * 1024;

/** A secret from the process's `env`: the variable NAME, or the file that NAME_FILE names, read again when it changes. */
export interface EnvSecret {
  readonly name: string;
  /** Reads the file again if the last read is old enough; resolves after a few seconds even if the file system hangs. Never rejects. */
  refresh(): Promise<void>;
  /** Returns the last text, trimmed, and refreshes it for the next call. Throws a CredentialsError if the file could never be read. */
  read(): string;
}

/**
 * Returns the secret `name` of `env`; `null` if neither the variable nor its `_FILE` is set. If the file is temporarily
 * missing, as while a mounted secret is replaced, the last text stays in force. Only a regular file is read.
 */
export function openEnvSecret(env: Env, name: CredentialVariable, monotonicMs: () => number): EnvSecret | null {
  const text = env[name]?.trim();
  if (text) return { name, refresh: async () => {}, read: () => text };
  const path = env[`${name}_FILE`]?.trim();
  return path ? new FileSecret(`${name}_FILE`, path, monotonicMs) : null;
}

class FileSecret implements EnvSecret {
  readonly name: string;
  readonly #path: string;
  readonly #monotonicMs: () => number;
  #text: string | null = null;
  #error: unknown = null;
  #readAtMs = Number.NEGATIVE_INFINITY;
  /** The read in progress. There is one at most: on a hung mount each would take a thread of the process for ever. */
  #reading: Promise<void> | null = null;

  constructor(name: string, path: string, monotonicMs: () => number) {
    this.name = name;
    this.#path = path;
    this.#monotonicMs = monotonicMs;
  }

  async refresh(): Promise<void> {
    if (this.#reading === null && this.#monotonicMs() < this.#readAtMs + rereadMs) return;
    this.#reading ??= this.#readFile();
    const { promise: timedOut, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, readTimeLimitMs);
    await Promise.race([this.#reading, timedOut]);
    clearTimeout(timer);
  }

  read(): string {
    void this.refresh();
    if (this.#text !== null) return this.#text;
    const reason = this.#error === null ? 'its file system does not answer' : errorMessage(this.#error);
    throw new CredentialsError(`${this.name} cannot be read: ${reason}`, { code: 'CREDENTIALS_UNREADABLE', cause: this.#error });
  }

  async #readFile(): Promise<void> {
    this.#readAtMs = this.#monotonicMs();
    try {
      this.#text = (await readSmallFile(this.#path)).trim() || (this.#text ?? '');
    } catch (error) {
      this.#error = error;
    } finally {
      this.#reading = null;
    }
  }
}

async function readSmallFile(path: string): Promise<string> {
  // Opening a pipe that nobody writes to would block for ever without O_NONBLOCK.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile()) throw new Error('it is not a regular file');
  const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes + 1));
  if (bytesRead > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
  return buffer.toString('utf8', 0, bytesRead);
}
