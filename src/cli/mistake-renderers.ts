import type { EdictError, InvalidFileError } from '../core/errors.ts';
import { diagnosticAnnotations, errorAnnotation } from './github-annotations.ts';
import type { Colorize } from './paint.ts';
import { renderDiagnostics, renderDiagnosticsJson } from './render-mistakes.ts';
import { renderDiagnosticsSarif, renderErrorSarif } from './sarif.ts';

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
