import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { EdictError, exitCodes, messageOf } from '../core/errors.ts';
import type { Meanings, Name } from '../core/names.ts';
import type { DesiredSource } from '../core/ports.ts';
import type { DesiredState, GatewaySettings } from '../core/publication.ts';
import { parseFile } from './parse-desired.ts';
import { type PathWatch, watchPath } from './path-watch.ts';
import type { Variables } from './variables.ts';
import type { PieceCache } from './yaml-pieces.ts';

/** No edict file of a full instance comes near; beyond it the path is most likely wrong. */
const maxBytes = 64 * 1024 * 1024;

/** Finds out what names of a file mean at its gateway. Rejects with an EdictError if the gateway cannot be asked. */
export type LookUp = (gateway: GatewaySettings, names: readonly Name[]) => Promise<Meanings>;

/** A YAML file as the source of the desired state. */
export class FileSource implements DesiredSource {
  readonly #path: string;
  readonly #name: string;
  readonly #variables: Variables;
  readonly #lookUp: LookUp;
  readonly #pieces: PieceCache = new Map();
  #last: { readonly text: string; readonly desired: DesiredState } | null = null;

  constructor(path: string, variables: Variables, lookUp: LookUp) {
    this.#path = resolve(path);
    this.#name = shortName(path);
    this.#variables = variables;
    this.#lookUp = lookUp;
  }

  /**
   * Returns what the file declares now: the same object as before while its text is the same.
   *
   * @throws InvalidFileError with every mistake
   * @throws EdictError `FILE_ABSENT`, `FILE_UNREADABLE`, and what the gateway's names throw
   */
  async load(): Promise<DesiredState> {
    const text = await readText(this.#path, this.#name);
    if (this.#last?.text !== text) {
      const parsed = parseFile({ text, file: this.#name, variables: this.#variables, cache: this.#pieces });
      const meanings: Meanings = parsed.names.length > 0 ? await this.#lookUp(parsed.gateway, parsed.names) : new Map();
      this.#last = { text, desired: parsed.desired(meanings) };
    }
    return this.#last.desired;
  }

  /** Calls `hint` whenever the file's content or the place that its path leads to may have changed, until closed. */
  watch(hint: () => void): Promise<PathWatch> {
    return watchPath(this.#path, () => fingerprint(this.#path), hint);
  }
}

async function readText(path: string, name: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readBytes(path);
  } catch (error) {
    throw unreadable(error, name);
  }
  if (bytes.length > maxBytes) {
    throw new EdictError('FILE_UNREADABLE', `${name} has more than ${maxBytes} bytes`, {
      hint: 'name an edict file; none comes near this size',
      exitCode: exitCodes.invalidFile,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EdictError('FILE_UNREADABLE', `${name} is not UTF-8 text`, {
      hint: 'save it as UTF-8',
      exitCode: exitCodes.invalidFile,
      cause,
    });
  }
}

/** Returns the bytes of a file, but never more than one beyond `maxBytes`: the path may lead to a file without end. */
async function readBytes(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: maxBytes, highWaterMark: 1024 * 1024 })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function unreadable(cause: unknown, name: string): EdictError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new EdictError('FILE_ABSENT', `${name} does not exist`, {
      hint: 'name the file: edict <command> FILE',
      exitCode: exitCodes.invalidFile,
      cause,
    });
  }
  const why = code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'permission denied' : messageOf(cause);
  return new EdictError('FILE_UNREADABLE', `${name} cannot be read: ${why}`, { exitCode: exitCodes.invalidFile, cause });
}

/** Returns a text that differs when the path leads elsewhere or to other content. */
async function fingerprint(path: string): Promise<string> {
  try {
    return `${await realpath(path)} ${createHash('sha256')
      .update(await readBytes(path))
      .digest('base64')}`;
  } catch (error) {
    return `absent: ${(error as NodeJS.ErrnoException).code}`;
  }
}

function shortName(path: string): string {
  const fromHere = relative('', path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
}
