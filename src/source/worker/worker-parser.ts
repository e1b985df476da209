import { getCompileCacheDir } from 'node:module';
import { dirname, extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import { isFileVariable } from '../../model/env.ts';
import { EdictError, exitCodes, InvalidFileError } from '../../model/errors.ts';
import { parseFreezes } from '../freeze.ts';
import type { SourceParser } from '../source-parser.ts';
import type { DesiredOutline, DesiredPart, ParseAnswer, ParseRequest, ParseResults } from './messages.ts';

/** The thread beside this file, which is TypeScript in the checkout and JavaScript in the package. */
const threadFile = new URL(`./parse-thread${extname(import.meta.url)}`, import.meta.url);

/** A small young generation: with V8's default, the thread of a daemon with 10,000 publications holds 150 MB that it does not need. */
const maxYoungGenerationSizeMb = 16;

export interface WorkerParserOptions {
  /** How long one step of parsing may take. A file of 100,000 publications takes a second or two. */
  readonly deadlineMs?: number;
  /** How much memory the thread may use for objects. */
  readonly maxMemoryMb?: number;
}

type Kind = ParseRequest['kind'];

interface RequestOptions {
  /** Named in errors. */
  readonly file: string;
  /** A request that has not been sent yet is not sent once this is aborted. */
  readonly signal: AbortSignal | null;
}

type Ask = <K extends Kind>(request: Extract<ParseRequest, { readonly kind: K }>, options: RequestOptions) => Promise<ParseResults[K]>;

/**
 * Parses the files of a daemon in one thread, which a file that costs too much ends: the next one starts a new thread. Requests wait for each
 * other, so that the deadline of each counts only its own work.
 */
export class WorkerParser implements AsyncDisposable {
  readonly #deadlineMs: number;
  readonly #maxMemoryMb: number;
  #worker: Worker | null = null;
  #lastRequest: Promise<unknown> = Promise.resolve();
  #sources = 0;

  constructor({ deadlineMs = 30_000, maxMemoryMb = 1024 }: WorkerParserOptions = {}) {
    this.#deadlineMs = deadlineMs;
    this.#maxMemoryMb = maxMemoryMb;
  }

  /** Returns the parser of one file. When it is closed, the thread forgets what it has parsed for it. */
  open(): SourceParser & Disposable {
    this.#sources += 1;
    return new WorkerSource(this.#ask, this.#sources);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  readonly #ask: Ask = (request, { file, signal }) => {
    const asking = this.#lastRequest.then(() => {
      signal?.throwIfAborted();
      return this.#send(request, file);
    });
    this.#lastRequest = asking.catch(() => {});
    return asking as Promise<never>;
  };

  async #send(message: ParseRequest, file: string): Promise<unknown> {
    // A thread that was never started, or has ended, knows nothing that could be forgotten.
    if (message.kind === 'forget' && !this.#worker) return null;
    const worker = this.#worker ?? this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<ParseAnswer>();
    const tooCostly = (excess: string): void => {
      const hint = 'write each API in lines of its own, and fewer of them in one file';
      reject(new EdictError('FILE_UNREADABLE', `${file} cannot be checked: it takes ${excess}`, { hint, exitCode: exitCodes.invalidFile }));
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') tooCostly(`more than ${this.#maxMemoryMb} MB of memory`);
      else reject(error);
    };
    const onExit = (): void => reject(new Error('the thread that parses files has ended'));
    const timer = setTimeout(() => {
      tooCostly(`longer than ${this.#deadlineMs / 1000} s`);
    }, this.#deadlineMs);
    worker.once('message', resolve).once('error', onError).once('exit', onExit);
    worker.postMessage(message);
    try {
      return resultOf(await promise);
    } catch (error) {
      if (!(error instanceof InvalidFileError)) await this.#end(worker);
      throw error;
    } finally {
      clearTimeout(timer);
      worker.off('message', resolve).off('error', onError).off('exit', onExit);
    }
  }

  #start(): Worker {
    // It needs no variables of this process, and no hooks that this process was started with. With the compiled modules of this process, a
    // thread starts in a third of the CPU time.
    const cache = getCompileCacheDir();
    const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
    const resourceLimits = { maxOldGenerationSizeMb: this.#maxMemoryMb, maxYoungGenerationSizeMb };
    const worker = new Worker(threadFile, { env, execArgv: [], resourceLimits });
    // An error that comes with no request must not end the process.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    this.#worker = worker;
    return worker;
  }

  async #end(worker: Worker): Promise<void> {
    if (this.#worker === worker) this.#worker = null;
    await worker.terminate();
  }
}

function resultOf(answer: ParseAnswer): unknown {
  switch (answer.kind) {
    case 'done':
      return answer.result;
    case 'invalid':
      throw new InvalidFileError(answer.file, answer.diagnostics, answer.hasMore);
    case 'failed':
      throw answer.error;
  }
}

/** The desired state that was handed over last. */
interface Held {
  readonly version: number;
  readonly publications: readonly DesiredPublication[];
}

/** One file with its included files. */
class WorkerSource implements SourceParser, Disposable {
  readonly #ask: Ask;
  readonly #source: number;
  #held: Held | null = null;

  constructor(ask: Ask, source: number) {
    this.#ask = ask;
    this.#source = source;
  }

  includesOf: SourceParser['includesOf'] = (file, text, signal) => {
    return this.#ask({ kind: 'includes', source: this.#source, file, text }, { file, signal });
  };

  parse: SourceParser['parse'] = async ({ onUnsetVariable: _, variables, ...input }, signal) => {
    const allowed = Object.fromEntries(Object.entries(variables).filter(([name]) => isFileVariable(name)));
    const request = { kind: 'parse', source: this.#source, input: { ...input, variables: allowed } } as const;
    const { gateway, nameRefs } = await this.#ask(request, { file: input.file, signal });
    return {
      gateway,
      nameRefs,
      toDesiredState: async (resolutions, buildSignal) => {
        const held = this.#held?.version ?? null;
        const options = { file: input.file, signal: buildSignal };
        const outline = await this.#ask({ kind: 'build', source: this.#source, resolutions, held }, options);
        const received = new ReceivedState(outline, this.#held?.publications ?? []);
        const next = { kind: 'next', source: this.#source } as const;
        for (let part = await this.#ask(next, options); part; part = await this.#ask(next, options)) received.add(part);
        this.#held = { version: outline.version, publications: received.list };
        return received.toDesiredState();
      },
    };
  };

  [Symbol.dispose](): void {
    this.#ask({ kind: 'forget', source: this.#source }, { file: '', signal: null }).catch(() => {});
  }
}

/** A desired state that comes in parts. */
class ReceivedState {
  readonly list: DesiredPublication[] = [];
  readonly #outline: DesiredOutline;
  readonly #held: readonly DesiredPublication[];
  readonly #publications: Map<DesiredPublication['key'], DesiredPublication> = new Map();
  readonly #suspendedApis: Map<string, NonNullable<DesiredState['suspension']>> = new Map();
  readonly #probeUrls: Map<string, string | null> = new Map();
  /** One string for all that are equal: each message has its own. */
  readonly #texts = new Map<string, string>();

  constructor(outline: DesiredOutline, held: readonly DesiredPublication[]) {
    this.#outline = outline;
    this.#held = held;
  }

  add({ places, changed, suspendedApis, probeUrls }: DesiredPart): void {
    let nextChanged = 0;
    for (let at = 0; at < places.length; at += 3) {
      const index = places[at] ?? -1;
      const publication =
        index < 0 ? this.#shareTexts(changed[nextChanged++]) : withPlace(this.#held[index], places[at + 1] ?? 0, places[at + 2] ?? 0);
      this.list.push(publication);
      this.#publications.set(publication.key, publication);
    }
    for (const [apiId, suspension] of suspendedApis) this.#suspendedApis.set(apiId, suspension);
    for (const [apiId, url] of probeUrls) this.#probeUrls.set(apiId, url);
  }

  toDesiredState(): DesiredState {
    const { state, steps, freezes } = this.#outline;
    const idOf = new Map([...state.environments.values()].map(({ name, id }) => [name, id]));
    return {
      ...state,
      rollout: { steps, probeUrls: this.#probeUrls },
      freezes: parseFreezes(freezes, idOf),
      suspendedApis: this.#suspendedApis,
      publications: this.#publications,
    };
  }

  #shareTexts(publication: DesiredPublication | undefined): DesiredPublication {
    if (!publication) throw new TypeError('a publication is missing');
    const { api, apiId, environment, environmentId, sourceFile, source } = publication;
    return {
      ...publication,
      api: this.#share(api),
      apiId: this.#share(apiId),
      environment: this.#share(environment),
      environmentId: this.#share(environmentId),
      sourceFile: this.#share(sourceFile),
      source: { ...source, file: this.#share(source.file) },
    };
  }

  #share(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }
}

function withPlace(publication: DesiredPublication | undefined, line: number, column: number): DesiredPublication {
  if (!publication) throw new TypeError('a publication is missing');
  const { source } = publication;
  if (source.line === line && source.column === column) return publication;
  return { ...publication, source: { ...source, line, column } };
}
