/*
 * The thread that parses files for a daemon, so that a large or hostile one never delays its control loop. It keeps what it has parsed, and hands a
 * desired state over in parts, of which each has only what has changed.
 */

import { parentPort } from 'node:worker_threads';
import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import { InvalidFileError } from '../../model/errors.ts';
import { parseIncludes } from '../include-reader.ts';
import { type ParsedFile, parseFile } from '../parser.ts';
import { ParseCache } from '../yaml/parse-cache.ts';
import { type DesiredPart, maxChunk, type ParseAnswer, type ParseRequest, type ParseResults } from './messages.ts';

interface Held {
  readonly version: number;
  readonly publications: DesiredState['publications'];
  readonly indices: ReadonlyMap<string, number>;
}

/** One file with its included files. */
class ThreadSource {
  readonly #parseCache = new ParseCache();
  #parsed: ParsedFile | null = null;
  #parts: Iterator<DesiredPart> | null = null;
  /** The last desired state that was handed over, or at least begun to be. */
  #held: Held | null = null;

  answer(request: ParseRequest): ParseResults[keyof ParseResults] {
    switch (request.kind) {
      case 'includes':
        return parseIncludes(this.#parseCache.parse(request.file, request.text));
      case 'parse': {
        this.#parts = null;
        this.#parsed = null;
        this.#parsed = parseFile({ ...request.input, parseCache: this.#parseCache });
        const { gateway, nameRefs } = this.#parsed;
        return { gateway, nameRefs };
      }
      case 'build': {
        if (!this.#parsed) throw new TypeError('nothing was parsed');
        const { toDesiredState, written } = this.#parsed;
        this.#parsed = null;
        const { publications, freezes: _freezes, suspendedApis, rollout, ...state } = toDesiredState(request.resolutions);
        const before = this.#held?.version === request.held ? this.#held : null;
        const version = (this.#held?.version ?? 0) + 1;
        this.#held = { version, publications, indices: indexKeys(publications) };
        this.#parts = partsOf({ publications, suspendedApis, rollout }, before);
        return { version, state, steps: rollout.steps, freezes: written.freeze };
      }
      case 'next':
        return this.#parts?.next().value ?? null;
      case 'forget':
        return null;
    }
  }
}

function indexKeys(publications: DesiredState['publications']): ReadonlyMap<string, number> {
  let index = 0;
  const indices = new Map<string, number>();
  for (const key of publications.keys()) indices.set(key, index++);
  return indices;
}

function* partsOf(
  { publications, suspendedApis, rollout }: Pick<DesiredState, 'publications' | 'suspendedApis' | 'rollout'>,
  before: Held | null,
): Iterator<DesiredPart> {
  const nothing: DesiredPart = { places: new Int32Array(), changed: [], suspendedApis: new Map(), probeUrls: new Map() };
  for (const chunk of chunksOf(publications.values())) {
    const changed: DesiredPublication[] = [];
    const places = new Int32Array(3 * chunk.length);
    for (const [at, publication] of chunk.entries()) {
      const held = before?.publications.get(publication.key);
      const isSame = held !== undefined && isSameExceptPlace(held, publication);
      places[3 * at] = isSame ? (before?.indices.get(publication.key) ?? -1) : -1;
      places[3 * at + 1] = publication.source.line;
      places[3 * at + 2] = publication.source.column;
      if (!isSame) changed.push(publication);
    }
    yield { ...nothing, places, changed };
  }
  for (const chunk of chunksOf(suspendedApis)) yield { ...nothing, suspendedApis: new Map(chunk) };
  for (const chunk of chunksOf(rollout.probeUrls)) yield { ...nothing, probeUrls: new Map(chunk) };
}

function* chunksOf<T>(items: Iterable<T>): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < maxChunk) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Returns whether two publications differ at most in the line and column of their place. */
function isSameExceptPlace(a: DesiredPublication, b: DesiredPublication): boolean {
  return (
    a.api === b.api &&
    a.apiId === b.apiId &&
    a.environment === b.environment &&
    a.environmentId === b.environmentId &&
    a.state === b.state &&
    a.revision === b.revision &&
    a.remark === b.remark &&
    a.version === b.version &&
    a.driftPolicy === b.driftPolicy &&
    a.sourceFile === b.sourceFile &&
    a.source.file === b.source.file &&
    a.nameRef?.name === b.nameRef?.name &&
    a.nameRef?.group === b.nameRef?.group
  );
}

const sources = new Map<number, ThreadSource>();

function answer(request: ParseRequest): ParseAnswer {
  const source = sources.get(request.source) ?? new ThreadSource();
  sources.set(request.source, source);
  if (request.kind === 'forget') sources.delete(request.source);
  try {
    return { kind: 'done', result: source.answer(request) };
  } catch (error) {
    if (!(error instanceof InvalidFileError)) return { kind: 'failed', error };
    const { file, diagnostics, hasMore } = error;
    return { kind: 'invalid', file, diagnostics, hasMore };
  }
}

parentPort?.on('message', (request: ParseRequest) => parentPort?.postMessage(answer(request)));
