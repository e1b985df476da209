import type { components } from '../../generated/edict-plan.d.ts';
import type { InvalidFileError, Mistake } from '../core/errors.ts';
import { counted } from '../words/phrases.ts';
import type { Paint } from './paint.ts';

/** A frame for each of thousands of mistakes would hide the first ones. */
const maxFrames = 50;

/** Returns every mistake in a file for a person: place, message, code frame and hint. */
export function renderMistakes({ mistakes }: InvalidFileError, paint: Paint): string {
  const lines: string[] = [];
  for (const [index, mistake] of mistakes.entries()) {
    lines.push(`${paint('bold', `${mistake.file}:${mistake.line}:${mistake.column}`)}  ${paint('red', mistake.message)}`);
    if (index < maxFrames) lines.push(...frame(mistake, paint), '');
  }
  lines.push(`${counted(mistakes.length, 'mistake')}. Nothing was changed.`);
  return `${lines.join('\n')}\n`;
}

const widestFrame = 160;

type Framed = Pick<Mistake, 'line' | 'column' | 'length' | 'text' | 'hint'>;

/** Returns a line of a file with a place in it marked, and below it what to do. */
export function frame({ line, column, length, text, hint }: Framed, paint: Paint): string[] {
  const from = column > widestFrame ? column - widestFrame / 2 : 0;
  const shown = text.slice(from, from + widestFrame).replaceAll('\t', ' ');
  const gutter = String(line);
  const marks = ' '.repeat(Math.max(0, column - 1 - from)) + '^'.repeat(Math.max(1, Math.min(length, shown.length - (column - 1 - from))));
  const lines = [paint('dim', `  ${gutter} | `) + shown, paint('dim', `  ${' '.repeat(gutter.length)} | `) + paint('red', marks)];
  return hint ? [...lines, `  ${' '.repeat(gutter.length)} ${paint('dim', '=')} ${hint}`] : lines;
}

/** Returns what is wrong with a file for programs. */
export function mistakesDocument({ mistakes }: InvalidFileError): components['schemas']['InvalidFile'] {
  return { format: 1, valid: false, mistakes: mistakes.map(({ text: _text, ...mistake }) => mistake) };
}

/** Returns what is wrong with a file as one JSON document, in one line: an `apply` writes nothing else. */
export function mistakesJson(error: InvalidFileError): string {
  return `${JSON.stringify(mistakesDocument(error))}\n`;
}
