import type { components } from '../../../generated/edict-plan.d.ts';
import type { Diagnostic, EdictError, InvalidFileError } from '../../model/errors.ts';
import { pluralize } from '../../render/format.ts';
import type { Colorize } from './colors.ts';
import { diagnosticAnnotations, errorAnnotation } from './github-annotations.ts';
import { renderDiagnosticsSarif, renderErrorSarif } from './sarif.ts';

/** The most code frames shown: thousands of them would push the first diagnostics out of sight. */
const maxCodeFrames = 50;

/** Returns all diagnostics of a file as text: place, message, code frame and hint. */
export function renderDiagnostics({ diagnostics }: InvalidFileError, paint: Colorize): string {
  const lines: string[] = [];
  for (const [index, diagnostic] of diagnostics.entries()) {
    lines.push(`${paint('bold', `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`)}  ${paint('red', diagnostic.message)}`);
    if (index < maxCodeFrames) lines.push(...codeFrame(diagnostic, paint), '');
  }
  lines.push(`${pluralize(diagnostics.length, 'error')}. Nothing was changed.`);
  return `${lines.join('\n')}\n`;
}

const maxFrameWidth = 160;

type FramedLine = Pick<Diagnostic, 'line' | 'column' | 'length' | 'text' | 'hint'>;

/** Returns a line of a file with the range underlined, and the hint below. */
export function codeFrame({ line, column, length, text, hint }: FramedLine, paint: Colorize): string[] {
  const from = column > maxFrameWidth ? column - maxFrameWidth / 2 : 0;
  const shown = text.slice(from, from + maxFrameWidth).replaceAll('\t', ' ');
  const gutter = String(line);
  const marks = ' '.repeat(Math.max(0, column - 1 - from)) + '^'.repeat(Math.max(1, Math.min(length, shown.length - (column - 1 - from))));
  const lines = [paint('dim', `  ${gutter} | `) + shown, paint('dim', `  ${' '.repeat(gutter.length)} | `) + paint('red', marks)];
  return hint ? [...lines, `  ${' '.repeat(gutter.length)} ${paint('dim', '=')} ${hint}`] : lines;
}

/** Returns the diagnostics of a file as a JSON document. */
export function diagnosticsDocument({ diagnostics }: InvalidFileError): components['schemas']['InvalidFile'] {
  return { format: 1, valid: false, errors: diagnostics.map(({ text: _text, ...diagnostic }) => diagnostic) };
}

/** Returns the diagnostics of a file as JSON in one line, since the output of `apply` is one JSON document per line. */
export function renderDiagnosticsJson(error: InvalidFileError): string {
  return `${JSON.stringify(diagnosticsDocument(error))}\n`;
}

type DiagnosticRenderer = (error: InvalidFileError, paint: Colorize) => string;

/** The renderers of diagnostics; each returns the whole text with a final line break. */
export const diagnosticRenderers = {
  text: renderDiagnostics,
  json: renderDiagnosticsJson,
  github: diagnosticAnnotations,
  sarif: ({ diagnostics }) => renderDiagnosticsSarif(diagnostics),
} satisfies Record<string, DiagnosticRenderer>;
export type DiagnosticFormat = keyof typeof diagnosticRenderers;

/** The machine-readable renderers of all other errors, except JSON, which `errorDocument` builds. */
export const errorRenderers = { github: errorAnnotation, sarif: renderErrorSarif } satisfies Record<string, (error: EdictError) => string>;
