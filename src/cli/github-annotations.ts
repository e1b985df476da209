import type { EdictError, InvalidFileError, Mistake } from '../core/errors.ts';
import type { Change, Plan } from '../core/plan.ts';
import { counted, obstacleInWords, reasonInWords } from '../words/phrases.ts';
import { totalsInWords } from './plan-words.ts';
import { repositoryPath } from './repository-path.ts';

/*
 * Workflow commands of GitHub Actions: lines on stdout that a runner turns into annotations.
 */

type Level = 'error' | 'warning' | 'notice';
type Properties = Readonly<Record<string, string | number | null>>;

/** Returns every mistake of a file as an annotation at its place, and how many there are. */
export function mistakeAnnotations({ mistakes }: InvalidFileError): string {
  return `${mistakes.map(mistakeAnnotation).join('\n')}\n${counted(mistakes.length, 'mistake')}. Nothing was changed.\n`;
}

function mistakeAnnotation({ rule, file, line, column, length, message, hint }: Mistake): string {
  const place = { file: repositoryPath(file) ?? file, line, endLine: line, col: column, endColumn: column + length };
  return command('error', { ...place, title: `edict: ${rule}` }, hint === null ? message : `${message}\n${hint}`);
}

/** Returns an error as an annotation without a place. */
export function errorAnnotation({ code, message, hint }: EdictError): string {
  return `${command('error', { title: `edict: ${code}` }, hint === null ? message : `${message}\n${hint}`)}\n`;
}

/** Returns a plan as annotations: a warning for each change that takes something offline or is held, and a notice with the sums. */
export function planAnnotations(plan: Plan): string {
  const { suspicion } = plan;
  const lines = plan.changes.filter(({ action, held }) => action === 'offline' || held).map(changeAnnotation);
  if (suspicion) lines.unshift(command('warning', { title: 'edict: the whole file is held' }, `${suspicion.message}\n${suspicion.hint}`));
  return `${[...lines, command('notice', { title: 'edict plan' }, totalsInWords(plan))].join('\n')}\n`;
}

function changeAnnotation(change: Change): string {
  const { api, environment, action, source, held, waits } = change;
  const place = source && { file: repositoryPath(source.file) ?? source.file, line: source.line, col: source.column };
  const what = `${api} in ${environment} ${held ? 'is held' : waits ? `waits, then goes ${action}` : `goes ${action}`}`;
  return command('warning', { ...place, title: what }, obstacleInWords(change) ?? reasonInWords(change));
}

function command(level: Level, properties: Properties, message: string): string {
  const given = Object.entries(properties).map(([key, value]) => `${key}=${property(String(value))}`);
  return `::${level} ${given.join(',')}::${data(message)}`;
}

/** A line end would end the command, and what follows would be one of its own. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
