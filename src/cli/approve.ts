import { type Approved, approve } from '../app.ts';
import type { Settings } from '../config.ts';
import { durationOption } from '../config.ts';
import { type Agreeing, longestApprovalMs } from '../core/agreeing.ts';
import { EdictError, type ExitCode, exitCodes } from '../core/errors.ts';
import { estimate } from '../core/estimate.ts';
import { counted, durationInWords, momentInWords, reasonInWords } from '../words/phrases.ts';
import { columns } from './columns.ts';
import { type Context, paintersOf } from './context.ts';
import type { Paint } from './paint.ts';

export interface ApproveOptions {
  readonly format: string;
  readonly by: string;
  readonly why: string;
  readonly expires: string;
}

/** Agrees to what the plan holds. Returns 0. Throws an EdictError: `OPTION`, and what `approve` of the wiring throws. */
export async function agree(digest: string, settings: Settings, options: ApproveOptions, context: Context): Promise<ExitCode> {
  const approved = await approve(settings, context.environment, agreeing(digest, options));
  const { out } = paintersOf(context);
  context.stdout.write(options.format === 'json' ? `${JSON.stringify(toJson(approved), null, 2)}\n` : toText(approved, out));
  return exitCodes.done;
}

function agreeing(digest: string, { by, why, expires }: ApproveOptions): Agreeing {
  const hex = digest.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new EdictError('OPTION', `${digest} is not a digest`, { hint: 'expected sha256: and 64 hex digits, as `edict plan` shows them' });
  }
  for (const [option, text] of [
    ['--by', by],
    ['--why', why],
  ] as const) {
    if (text.trim() === '' || text.length > 1000) throw new EdictError('OPTION', `${option} needs a text of up to 1,000 characters`);
  }
  const expiresMs = durationOption(expires, '--expires');
  if (expiresMs === 0 || expiresMs > longestApprovalMs) {
    throw new EdictError('OPTION', `--expires ${expires} is out of range`, {
      hint: 'expected more than nothing and 7 days (168h) at most',
    });
  }
  return { digest: `sha256:${hex}`, by: by.trim(), why: why.trim(), expiresMs };
}

function toText({ approval, plan, desired }: Approved, paint: Paint): string {
  const held = plan.changes.filter((change) => change.held);
  const until = `until ${momentInWords(approval.expiresAtMs)}`;
  const what = held.length > 0 ? counted(held.length, 'change') : 'the file';
  const rows = held.map((change) => [
    `${paint(change.action === 'online' ? 'green' : 'red', `${change.action === 'online' ? '+' : '-'} ${change.action}`)} ${change.api}`,
    change.environment,
    reasonInWords(change),
  ]);
  const released = held.map((change) => ({ ...change, held: null }));
  const { calls, seconds } = estimate(released, desired.gateway);
  const isTooSlow = approval.atMs + seconds * 1000 > approval.expiresAtMs;
  const slow = `${counted(calls, 'call')} take about ${durationInWords(seconds * 1000)} at the limit: longer than the approval holds.`;
  return `${[
    `${paint('bold', `Approved ${until}:`)} ${what}, by ${approval.by}: ${approval.why}`,
    ...columns(rows).map((line) => `  ${line}`),
    ...(isTooSlow ? [paint('yellow', slow)] : []),
    'A daemon goes on by itself; without one, run `edict apply`.',
  ].join('\n')}\n`;
}

function toJson({ approval, plan }: Approved) {
  return {
    format: 1,
    digest: approval.digest,
    by: approval.by,
    why: approval.why,
    at: momentInWords(approval.atMs),
    expires: momentInWords(approval.expiresAtMs),
    changes: plan.changes
      .filter((change) => change.held)
      .map(({ api, apiId, environment, environmentId, action, reason }) => ({ api, apiId, environment, environmentId, action, reason })),
  };
}
