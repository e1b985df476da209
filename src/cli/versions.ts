import type { Settings } from '../config.ts';
import { EdictError, type ExitCode, exitCodes } from '../core/errors.ts';
import { readVersions, type VersionsReport } from '../reports.ts';
import { formatTimestamp } from '../words/phrases.ts';
import { formatTable } from './columns.ts';
import { type CliContext, colorizersFor } from './context.ts';
import type { Colorize } from './paint.ts';

/** What `--versions` was given: API and environment, and the file where it follows them. */
export interface VersionsTarget {
  readonly api: string;
  readonly environment: string;
  readonly file: string | undefined;
}

/** Returns what `--versions` names. Throws an EdictError `OPTION` unless it is an API, an environment and perhaps the file. */
export function parseVersionsTarget([api, environment, file, ...more]: readonly string[]): VersionsTarget {
  if (api !== undefined && environment !== undefined && more.length === 0) return { api, environment, file };
  throw new EdictError('OPTION', '--versions needs an API and an environment', { hint: 'edict history --versions API ENVIRONMENT [FILE]' });
}

/** Shows the versions of an API in an environment that the gateway keeps, newest first. Returns 0. */
export async function listVersions(
  settings: Settings,
  of: VersionsTarget,
  { format }: { readonly format: string },
  context: CliContext,
): Promise<ExitCode> {
  const report = await readVersions(settings, context.env, of);
  context.stdout.write(
    format === 'json' ? `${JSON.stringify(versionsJson(report), null, 2)}\n` : versionsText(report, colorizersFor(context).out),
  );
  return exitCodes.done;
}

function versionsText({ names, versions, pinnedVersionId }: VersionsReport, paint: Colorize): string {
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (versions.length === 0) return `${title}\nThe gateway keeps no version: it was never published here.\n`;
  const head = ['version', 'number', 'published', '', 'remark'].map((name) => paint('bold', name));
  const rows = versions.map(({ versionId, versionNumber, publishedAtMs, isEffective, remark }) => [
    versionId,
    versionNumber,
    publishedAtMs === null ? '-' : formatTimestamp(publishedAtMs),
    paint('green', [isEffective ? 'effective' : '', versionId === pinnedVersionId ? 'pinned' : ''].filter(Boolean).join(', ')),
    remark.replace(/[\p{C}\p{Z}]+/gu, ' '),
  ]);
  const hint = paint('dim', `To keep one effective, write \`{ state: online, version: ID }\` for ${names.environment}.`);
  return `${[title, ...formatTable([head, ...rows]), '', hint].join('\n')}\n`;
}

function versionsJson({ names, versions, pinnedVersionId }: VersionsReport) {
  return {
    format: 1,
    ...names,
    versions: versions.map(({ versionId, versionNumber, remark, publishedAtMs, isEffective }) => ({
      versionId,
      number: versionNumber,
      remark,
      published: publishedAtMs === null ? null : formatTimestamp(publishedAtMs),
      effective: isEffective,
      pinned: versionId === pinnedVersionId,
    })),
  };
}
