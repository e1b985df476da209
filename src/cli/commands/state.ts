import { createAppContext } from '../../app/context.ts';
import { type CopyReport, copyStoreTo, type RemovedRecord, readStore, removeRecord, type StoreReport } from '../../app/store-admin.ts';
import { type ExitCode, exitCodes } from '../../model/errors.ts';
import type { Settings } from '../../model/settings.ts';
import { isActionable } from '../../plan/diff.ts';
import { formatTimestamp, pluralize } from '../../render/format.ts';
import { type CliContext, colorizersFor } from '../context.ts';
import type { Colorize } from '../output/colors.ts';

interface StateOptions {
  readonly format: string;
}

/** Shows the gateways in the store. Returns 0. */
export async function showState(settings: Settings, { format }: StateOptions, context: CliContext): Promise<ExitCode> {
  const report = await readStore(createAppContext(settings, context.env));
  return writeResult(
    format,
    { format: 1, ...report, gateways: report.gateways.map(gatewayJson) },
    showText(report, colorizersFor(context).out),
    context,
  );
}

/** Copies the store into the store `to`, and warns on stderr if a process was using it. Returns 0. */
export async function copyState(to: string, settings: Settings, { format }: StateOptions, context: CliContext): Promise<ExitCode> {
  const report = await copyStoreTo(createAppContext(settings, context.env), to);
  const { out, err } = colorizersFor(context);
  if (report.holders.length > 0) {
    context.stderr.write(
      `${err('yellow', 'edict: warning:')} ${report.from} was copied while in use by ${report.holders.join('; ')}\n` +
        '  the copy is a consistent snapshot without later changes; to switch to the copy, stop that process and copy again\n',
    );
  }
  return writeResult(format, { format: 1, ...report }, copyText(report, out), context);
}

/** Deletes the recorded state of a publication. Returns 0. */
export async function remove(
  of: { readonly api: string; readonly environment: string },
  settings: Settings,
  { format }: StateOptions,
  context: CliContext,
): Promise<ExitCode> {
  const removed = await removeRecord(createAppContext(settings, context.env), of);
  const { names, was } = removed;
  const json = {
    format: 1,
    ...names,
    was: was && { state: was.state, revision: was.revision, versionId: was.versionId },
    next: nextActionOf(removed),
  };
  return writeResult(format, json, removedText(removed, colorizersFor(context).out), context);
}

function writeResult(format: string, json: object, text: string, { stdout }: CliContext): ExitCode {
  stdout.write(format === 'json' ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`);
  return exitCodes.done;
}

function showText({ store, gateways }: StoreReport, paint: Colorize): string {
  const lines = gateways.flatMap(({ endpoint, project, instance, publications, attempts, firstAttemptAtMs, holder }) => [
    `${endpoint}, project ${project}, instance ${instance}`,
    `  ${pluralize(publications, 'publication')} recorded, ${pluralize(attempts, 'attempt')}${firstAttemptAtMs === null ? '' : ` since ${formatTimestamp(firstAttemptAtMs)}`}`,
    `  ${holder ? `at work: ${holder}` : 'no edict is at work'}`,
  ]);
  return [paint('bold', `Store ${store}`), ...(lines.length > 0 ? lines : ['It has no record of any gateway.'])].join('\n');
}

function gatewayJson({ firstAttemptAtMs, ...gateway }: StoreReport['gateways'][number]) {
  return { ...gateway, firstAttempt: firstAttemptAtMs === null ? null : formatTimestamp(firstAttemptAtMs) };
}

function copyText({ to, gateways, publications, attempts }: CopyReport, paint: Colorize): string {
  const counts = `${pluralize(gateways, 'gateway')}, ${pluralize(publications, 'publication')} and ${pluralize(attempts, 'attempt')}`;
  return `Copied ${counts} to ${paint('bold', to)}.`;
}

function removedText(removed: RemovedRecord, paint: Colorize): string {
  const { names, was } = removed;
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (!was) return `Nothing is recorded of ${title}. Nothing has changed.`;
  const next = nextActionOf(removed);
  const consequence = next
    ? `The next apply takes it for new and publishes it again. To adopt what is published there, apply with --refresh.`
    : 'The plan has nothing to do for it.';
  return `Removed ${title}, which was recorded as ${was.state ?? 'unknown'}. ${consequence}`;
}

/** Returns the action that the plan now has for the publication; `null` if none. */
function nextActionOf({ names, plan }: RemovedRecord) {
  const change = plan.changes.find(({ apiId, environmentId }) => apiId === names.apiId && environmentId === names.environmentId);
  return change ? { action: change.action, made: isActionable(change) } : null;
}
