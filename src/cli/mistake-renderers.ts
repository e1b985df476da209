import type { EdictError, InvalidFileError } from '../core/errors.ts';
import { errorAnnotation, mistakeAnnotations } from './github-annotations.ts';
import type { Paint } from './paint.ts';
import { mistakesJson, renderMistakes } from './render-mistakes.ts';
import { errorSarif, mistakesSarif } from './sarif.ts';

type Renderer = (error: InvalidFileError, paint: Paint) => string;

/** The forms in which the mistakes of a file are told; each returns the whole text, its last line ended. */
export const mistakeRenderers = {
  text: renderMistakes,
  json: mistakesJson,
  github: mistakeAnnotations,
  sarif: ({ mistakes }) => mistakesSarif(mistakes),
} satisfies Record<string, Renderer>;
export type MistakeFormat = keyof typeof mistakeRenderers;

/** The forms in which programs are told any other error; JSON is not among them, since it has more to say. */
export const errorRenderers = { github: errorAnnotation, sarif: errorSarif } satisfies Record<string, (error: EdictError) => string>;
