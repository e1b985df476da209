import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import { isMade } from '../core/plan.ts';
import { type CopyReport, copyState, type RemovedRecord, readStore, removeRecord, type StoreReport } from '../state.ts';
import { counted, momentInWords } from '../words/phrases.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';

interface StateOptions {
  readonly format: string;
}

/** Shows of which gateways the store has a record. Returns 0. */
export async function show(settings: Settings, { format }: StateOptions, context: Context): Promise<ExitCode> {
  const report = await readStore(settings);
  return written(
    format,
    { format: 1, ...report, gateways: report.gateways.map(gatewayJson) },
    showText(report, paintersOf(context).out),
    context,
  );
}

/** Copies the store into the store `to`, and warns on stderr if it was in use meanwhile. Returns 0. */
export async function copy(to: string, settings: Settings, { format }: StateOptions, context: Context): Promise<ExitCode> {
  const report = await copyState(settings, to);
  const { out, err } = paintersOf(context);
  if (report.holders.length > 0) {
    context.stderr.write(
      `${err('yellow', 'edict: warning:')} ${report.from} was copied while in use by ${report.holders.join('; ')}\n` +
        '  the copy is a consistent snapshot without later changes; to switch to the copy, stop that process and copy again\n',
    );
  }
  return written(format, { format: 1, ...report }, copyText(report, out), context);
}

/** Deletes the recorded state of a publication. Returns 0. */
export async function remove(
  of: { readonly api: string; readonly environment: string },
  settings: Settings,
  { format }: StateOptions,
  context: Context,
): Promise<ExitCode> {
  const removed = await removeRecord(settings, of, context.environment);
  const { names, was } = removed;
  const json = {
    format: 1,
    ...names,
    was: was && { state: was.state, revision: was.revision, versionId: was.versionId },
    next: nextOf(removed),
  };
  return written(format, json, removedText(removed, paintersOf(context).out), context);
}

function written(format: string, json: object, text: string, { stdout }: Context): ExitCode {
  stdout.write(format === 'json' ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`);
  return exitCodes.done;
}

function showText({ store, gateways }: StoreReport, paint: Paint): string {
  const lines = gateways.flatMap(({ endpoint, project, instance, publications, attempts, firstAttemptAtMs, holder }) => [
    `${endpoint}, project ${project}, instance ${instance}`,
    `  ${counted(publications, 'publication')} recorded, ${counted(attempts, 'attempt')}${firstAttemptAtMs === null ? '' : ` since ${momentInWords(firstAttemptAtMs)}`}`,
    `  ${holder ? `at work: ${holder}` : 'no edict is at work'}`,
  ]);
  return [paint('bold', `Store ${store}`), ...(lines.length > 0 ? lines : ['It has no record of any gateway.'])].join('\n');
}

function gatewayJson({ firstAttemptAtMs, ...gateway }: StoreReport['gateways'][number]) {
  return { ...gateway, firstAttempt: firstAttemptAtMs === null ? null : momentInWords(firstAttemptAtMs) };
}

function copyText({ to, gateways, publications, attempts }: CopyReport, paint: Paint): string {
  const counts = `${counted(gateways, 'gateway')}, ${counted(publications, 'publication')} and ${counted(attempts, 'attempt')}`;
  return `Copied ${counts} to ${paint('bold', to)}.`;
}

function removedText(removed: RemovedRecord, paint: Paint): string {
  const { names, was } = removed;
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (!was) return `Nothing is recorded of ${title}. Nothing has changed.`;
  const next = nextOf(removed);
  const then = next
    ? `The next apply takes it for new and publishes it again. To adopt what is published there, apply with --refresh.`
    : 'The plan has nothing to do for it.';
  return `Removed ${title}, which was recorded as ${was.state ?? 'unknown'}. ${then}`;
}

/** Returns what the plan does with it now. */
function nextOf({ names, plan }: RemovedRecord) {
  const change = plan.changes.find(({ apiId, environmentId }) => apiId === names.apiId && environmentId === names.environmentId);
  return change ? { action: change.action, made: isMade(change) } : null;
}
