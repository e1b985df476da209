import type { Settings } from '../config.ts';
import { type ExitCode, exitCodes } from '../core/errors.ts';
import { isMade } from '../core/plan.ts';
import { type CopyReport, copyStore, type Forgotten, forgetPublication, readStore, type StoreReport } from '../keeping.ts';
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

/** Backs the record up, or moves it, into the store `to`. Returns 0. */
export async function copy(
  how: 'backup' | 'move',
  to: string,
  settings: Settings,
  { format }: StateOptions,
  context: Context,
): Promise<ExitCode> {
  const report = await copyStore(how, settings, to);
  return written(format, { format: 1, ...report }, copyText(how, report, paintersOf(context).out), context);
}

/** Makes the record say nothing of a publication. Returns 0. */
export async function forget(
  of: { readonly api: string; readonly environment: string },
  settings: Settings,
  { format }: StateOptions,
  context: Context,
): Promise<ExitCode> {
  const forgotten = await forgetPublication(settings, of, context.environment);
  const { names, was } = forgotten;
  const json = {
    format: 1,
    ...names,
    was: was && { state: was.state, revision: was.revision, versionId: was.versionId },
    next: nextOf(forgotten),
  };
  return written(format, json, forgetText(forgotten, paintersOf(context).out), context);
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

function copyText(how: 'backup' | 'move', { from, to, gateways, publications, attempts }: CopyReport, paint: Paint): string {
  const what = `${counted(gateways, 'gateway')}, ${counted(publications, 'publication')} and ${counted(attempts, 'attempt')}`;
  if (how === 'backup') return `Copied ${what} to ${paint('bold', to)}.`;
  return `Moved ${what} to ${paint('bold', to)}. ${from} is not used any more: name the new store with --state or EDICT_STATE.`;
}

function forgetText(forgotten: Forgotten, paint: Paint): string {
  const { names, was } = forgotten;
  const title = paint('bold', `${names.api} in ${names.environment}`);
  if (!was) return `Nothing is recorded of ${title}. Nothing has changed.`;
  const next = nextOf(forgotten);
  const then = next
    ? `The next apply takes it for new and publishes it again. To adopt what is published there, apply with --refresh.`
    : 'The plan has nothing to do for it.';
  return `Forgot ${title}, which was recorded as ${was.state ?? 'unknown'}. ${then}`;
}

/** Returns what the plan does with it now. */
function nextOf({ names, plan }: Forgotten) {
  const change = plan.changes.find(({ apiId, environmentId }) => apiId === names.apiId && environmentId === names.environmentId);
  return change ? { action: change.action, made: isMade(change) } : null;
}
