import type { DesiredPublication, DesiredState } from '../../model/desired-state.ts';
import type { Diagnostic } from '../../model/errors.ts';
import type { GatewaySettings } from '../../model/gateway.ts';
import type { NameRef, NameResolutions } from '../../model/name-ref.ts';
import type { IncludeEntry } from '../include-reader.ts';
import type { EdictFile } from '../parser.ts';
import type { SourceTexts } from '../source-parser.ts';

/*
 * The messages between the control thread and the thread that parses. Each request has one answer, and there is one request at a time.
 */

/** How many publications, or other entries, one message has. Reading ten thousand publications takes 10 to 25 ms of the control thread. */
export const maxChunk = 5000;

/** `source` identifies the file; the thread keeps a cache for each. */
export type ParseRequest = { readonly source: number } & (
  | { readonly kind: 'includes'; readonly file: string; readonly text: string }
  | { readonly kind: 'parse'; readonly input: Omit<SourceTexts, 'onUnsetVariable'> }
  /** Makes the desired state of the last parse. `held`: the version that the control thread holds; `null`: none. */
  | { readonly kind: 'build'; readonly resolutions: NameResolutions; readonly held: number | null }
  /** Asks for the next part of the desired state. */
  | { readonly kind: 'next' }
  | { readonly kind: 'forget' }
);

/** A request that a file's errors did not prevent. */
export interface ParseResults {
  readonly includes: readonly IncludeEntry[];
  readonly parse: { readonly gateway: GatewaySettings; readonly nameRefs: readonly NameRef[] };
  readonly build: DesiredOutline;
  /** `null`: there are no more. */
  readonly next: DesiredPart | null;
  readonly forget: null;
}

export type ParseAnswer =
  | { readonly kind: 'done'; readonly result: ParseResults[keyof ParseResults] }
  | { readonly kind: 'invalid'; readonly file: string; readonly diagnostics: readonly Diagnostic[]; readonly hasMore: boolean }
  /** A bug in edict. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** The small parts of a desired state. Freezes are functions, so that the control thread makes them from the file's text. */
export interface DesiredOutline {
  readonly version: number;
  readonly state: Omit<DesiredState, 'publications' | 'freezes' | 'suspendedApis' | 'rollout' | 'pruneAtMs'>;
  readonly steps: DesiredState['rollout']['steps'];
  readonly freezes: EdictFile['freeze'];
}

/** A part of what is large. */
export interface DesiredPart {
  /**
   * Three numbers for each publication, in order: its index in the version that the control thread holds, or -1 if it is one of `changed`, its line
   * and its column.
   */
  readonly places: Int32Array<ArrayBuffer>;
  readonly changed: readonly DesiredPublication[];
  readonly suspendedApis: DesiredState['suspendedApis'];
  readonly probeUrls: DesiredState['rollout']['probeUrls'];
}
