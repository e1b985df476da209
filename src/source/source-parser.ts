import type { DesiredState } from '../model/desired-state.ts';
import type { GatewaySettings } from '../model/gateway.ts';
import type { NameRef, NameResolutions } from '../model/name-ref.ts';
import { type IncludeEntry, parseIncludes } from './include-reader.ts';
import { type ParseInput, parseFile } from './parser.ts';
import { ParseCache } from './yaml/parse-cache.ts';

/** Parses the texts of one file and its included files, again and again as they change. */
export interface SourceParser {
  /** Returns the `include` entries in the text of the main file. Rejects as `parse` does if that costs too much. */
  includesOf(file: string, text: string, signal: AbortSignal): Promise<readonly IncludeEntry[]>;
  /**
   * Rejects as `parseFile` throws, and with an EdictError `FILE_UNREADABLE` if parsing costs too much. The result of an earlier call may no longer
   * be used.
   */
  parse(input: SourceTexts, signal: AbortSignal): Promise<ParsedSource>;
}

export type SourceTexts = Omit<ParseInput, 'parseCache'>;

/** See `ParsedFile`. */
export interface ParsedSource {
  readonly gateway: GatewaySettings;
  readonly nameRefs: readonly NameRef[];
  toDesiredState(resolutions: NameResolutions, signal: AbortSignal): Promise<DesiredState>;
}

/** Returns a parser that works in this thread, and blocks it meanwhile. */
export function localParser(): SourceParser {
  const parseCache = new ParseCache();
  return {
    includesOf: async (file, text) => parseIncludes(parseCache.parse(file, text)),
    parse: async (input) => {
      const { gateway, nameRefs, toDesiredState } = parseFile({ ...input, parseCache });
      return { gateway, nameRefs, toDesiredState: async (resolutions) => toDesiredState(resolutions) };
    },
  };
}
