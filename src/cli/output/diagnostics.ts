import type { components } from '../../../generated/edict-plan.d.ts';
import type { Diagnostic, EdictError, InvalidFileError } from '../../model/errors.ts';
import { pluralize } from '../../render/format.ts';
import type { Colorize } from './colors.ts';
import { diagnosticAnnotations, errorAnnotation } from './github-annotations.ts';
import { renderDiagnosticsSarif, renderErrorSarif } from './sarif.ts';

/** A frame for each of thousands of mistakes would hide the first ones. */
const maxCodeFrames = 50;

/** Returns every mistake in a file for a person: place, message, code frame and hint. */
export function renderDiagnostics({ diagnostics }: InvalidFileError, paint: Colorize): string {
  const lines: string[] = [];
  for (const [index, mistake] of diagnostics.entries()) {
    lines.push(`${paint('bold', `${mistake.file}:${mistake.line}:${mistake.column}`)}  ${paint('red', mistake.message)}`);
    if (index < maxCodeFrames) lines.push(...codeFrame(mistake, paint), '');
  }
  lines.push(`${pluralize(diagnostics.length, 'mistake')}. Nothing was changed.`);
  return `${lines.join('\n')}\n`;
}

const maxFrameWidth = 160;

type FramedLine = Pick<Diagnostic, 'line' | 'column' | 'length' | 'text' | 'hint'>;

/** Returns a line of a file with a place in it marked, and below it what to do. */
export function codeFrame({ line, column, length, text, hint }: FramedLine, paint: Colorize): string[] {
  const from = column > maxFrameWidth ? column - maxFrameWidth / 2 : 0;
  const shown = text.slice(from, from + maxFrameWidth).replaceAll('\t', ' ');
  const gutter = String(line);
  const marks = ' '.repeat(Math.max(0, column - 1 - from)) + '^'.repeat(Math.max(1, Math.min(length, shown.length - (column - 1 - from))));
  const lines = [paint('dim', `  ${gutter} | `) + shown, paint('dim', `  ${' '.repeat(gutter.length)} | `) + paint('red', marks)];
  return hint ? [...lines, `  ${' '.repeat(gutter.length)} ${paint('dim', '=')} ${hint}`] : lines;
}

/** Returns what is wrong with a file for programs. */
export function diagnosticsDocument({ diagnostics }: InvalidFileError): components['schemas']['InvalidFile'] {
  return { format: 1, valid: false, mistakes: diagnostics.map(({ text: _text, ...mistake }) => mistake) };
}

/** Returns what is wrong with a file as one JSON document, in one line: an `apply` writes nothing else. */
export function renderDiagnosticsJson(error: InvalidFileError): string {
  return `${JSON.stringify(diagnosticsDocument(error))}\n`;
}

type DiagnosticRenderer = (error: InvalidFileError, paint: Colorize) => string;

/** The forms in which the mistakes of a file are told; each returns the whole text, its last line ended. */
export const diagnosticRenderers = {
  text: renderDiagnostics,
  json: renderDiagnosticsJson,
  github: diagnosticAnnotations,
  sarif: ({ diagnostics }) => renderDiagnosticsSarif(diagnostics),
} satisfies Record<string, DiagnosticRenderer>;
export type DiagnosticFormat = keyof typeof diagnosticRenderers;

/** The forms in which programs are told any other error; JSON is not among them, since it has more to say. */
export const errorRenderers = { github: errorAnnotation, sarif: renderErrorSarif } satisfies Record<string, (error: EdictError) => string>;
