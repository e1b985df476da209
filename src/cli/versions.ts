import type { Settings } from '../config.ts';
import { EdictError, type ExitCode, exitCodes } from '../core/errors.ts';
import { readVersions, type VersionsReport } from '../reports.ts';
import { momentInWords } from '../words/phrases.ts';
import { columns } from './columns.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';

/** What `--versions` was given: API and environment, and the file where it follows them. */
export interface VersionsOf {
  readonly api: string;
  readonly environment: string;
  readonly file: string | undefined;
}

/** Returns what `--versions` names. Throws an EdictError `OPTION` unless it is an API, an environment and perhaps the file. */
export function versionsOf([api, environment, file, ...more]: readonly string[]): VersionsOf {
  if (api !== undefined && environment !== undefined && more.length === 0) return { api, environment, file };
  throw new EdictError('OPTION', '--versions needs an API and an environment', { hint: 'edict history --versions API ENVIRONMENT [FILE]' });
}

/** Shows the versions of an API in an environment that the gateway keeps, newest first. Returns 0. */
export async function versions(
  settings: Settings,
  of: VersionsOf,
  { format }: { readonly format: string },
  context: Context,
): Promise<ExitCode> {
  const report = await readVersions(settings, context.environment, of);
  context.stdout.write(format === 'json' ? `${JSON.stringify(toJson(report), null, 2)}\n` : toText(report, paintersOf(context).out));
  return exitCodes.done;
}

function toText({ names, versions, pinned }: VersionsReport, paint: Paint): string {
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (versions.length === 0) return `${title}\nThe gateway keeps no version: it was never published here.\n`;
  const head = ['version', 'number', 'published', '', 'remark'].map((name) => paint('bold', name));
  const rows = versions.map(({ versionId, number, publishedAtMs, isEffective, remark }) => [
    versionId,
    number,
    publishedAtMs === null ? '-' : momentInWords(publishedAtMs),
    paint('green', [isEffective ? 'effective' : '', versionId === pinned ? 'pinned' : ''].filter(Boolean).join(', ')),
    remark.replace(/[\p{C}\p{Z}]+/gu, ' '),
  ]);
  const hint = paint('dim', `To keep one effective, write \`{ state: online, version: ID }\` for ${names.environment}.`);
  return `${[title, ...columns([head, ...rows]), '', hint].join('\n')}\n`;
}

function toJson({ names, versions, pinned }: VersionsReport) {
  return {
    format: 1,
    ...names,
    versions: versions.map(({ versionId, number, remark, publishedAtMs, isEffective }) => ({
      versionId,
      number,
      remark,
      published: publishedAtMs === null ? null : momentInWords(publishedAtMs),
      effective: isEffective,
      pinned: versionId === pinned,
    })),
  };
}
