import type { components } from '../../generated/edict-notification.d.ts';

type Schemas = components['schemas'];
type Notice = Schemas['Notice'];

/** A message as Slack's incoming webhooks take it. */
export interface SlackMessage {
  /** What notifications and readers without blocks show. */
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

interface SlackText {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Slack makes no links of names that happen to look like channels or people. */
  readonly verbatim: true;
}

export type SlackBlock =
  | { readonly type: 'section'; readonly text: SlackText }
  | { readonly type: 'context'; readonly elements: readonly SlackText[] };

/** The most characters that Slack takes in one text; a block more or less it takes 50 of, and here are eight at most. */
const mostCharacters = 3000;

const titles: Readonly<Record<Notice['kind'], string>> = {
  failed: ':red_circle: *Failed*',
  held: ':raised_hand: *Held*',
  invalid: ':no_entry: *Invalid file*',
  drifted: ':left_right_arrow: *Drifted*',
  recovered: ':large_green_circle: *Recovered*',
  applied: ':white_check_mark: *Applied*',
};

/** Returns a notification in Slack's form. Nothing of what others have named is markup in it. */
export function slackMessage({ file, gateway, emulated, undelivered, notices }: Schemas['Notification']): SlackMessage {
  const from = [file, ...(gateway ? [`${gateway.endpoint}, instance ${gateway.instance}`] : []), ...(emulated ? ['emulated'] : [])].join(
    ', ',
  );
  const missed =
    undelivered > 0 ? [`${undelivered} ${undelivered === 1 ? 'message' : 'messages'} before this could not be delivered.`] : [];
  const heads = notices.map(({ kind, summary }) => `${kind}: ${summary}`);
  return {
    text: cut(plain(`edict: ${heads.join('; ')}`), mostCharacters),
    blocks: [
      ...notices.map((notice): SlackBlock => ({ type: 'section', text: mrkdwn(section(notice)) })),
      { type: 'context', elements: [mrkdwn(cut(plain(['edict', from, ...missed].join(' · ')), mostCharacters))] },
    ],
  };
}

/** Lines that do not fit are left out as a whole: half a line of markup would spoil the rest. */
function section(notice: Notice): string {
  const reminder = 'isReminder' in notice && notice.isReminder ? ' (still so)' : '';
  const command = notice.kind === 'held' && notice.command ? `\n\`\`\`${escaped(notice.command)}\`\`\`` : '';
  const lines = linesOf(notice).map((line) => `\n• ${cut(plain(line), 400)}`);
  const more = unnamed(notice);
  let text = `${titles[notice.kind]}${reminder}  ${cut(plain(notice.summary), 600)}`;
  for (const line of lines) {
    if (text.length + line.length + command.length < mostCharacters - 50) text += line;
  }
  return `${text}${more > 0 ? `\n_and ${more} more_` : ''}${command}`;
}

function linesOf(notice: Notice): readonly string[] {
  switch (notice.kind) {
    case 'failed':
    case 'recovered':
      return notice.failures.map(({ publication, what, code, message, hint }) => {
        const where = publication ? `${publication.api} in ${publication.environment}: ` : `${what}: `;
        return `${where}${code ? `${code} ` : ''}${message}${hint && notice.kind === 'failed' ? ` (${hint})` : ''}`;
      });
    case 'held':
      return [
        ...notice.reasons.map(({ rule, message, hint }) => `${rule}: ${message} (${hint})`),
        ...notice.publications.map(({ api, environment, action }) => `${sign(action)} ${api} in ${environment}`),
      ];
    case 'invalid':
      return notice.mistakes.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);
    case 'drifted':
      return notice.publications.map(({ api, environment, how, was, now }) => {
        if (how === 'gone') return `${api} in ${environment}: the API is no longer at the gateway`;
        return `${api} in ${environment}: ${now} now${was === null ? '' : `, was ${was}`} (${how})`;
      });
    case 'applied':
      return notice.publications.map(({ api, environment, action }) => `${sign(action)} ${api} in ${environment}`);
  }
}

/** How many are counted without being named. */
function unnamed(notice: Notice): number {
  const named = 'failures' in notice ? notice.failures : 'publications' in notice ? notice.publications : notice.mistakes;
  return Math.max(0, notice.count - named.length);
}

function sign(action: Schemas['State']): string {
  return action === 'online' ? '+' : '−';
}

/** What would set off markup is told apart from it by spaces without width; within a word it sets off nothing. */
function plain(text: string): string {
  return escaped(text).replaceAll(/`|(?<!\w)[*_~]|[*_~](?!\w)/g, (mark) => `\u200B${mark}\u200B`);
}

/** Slack asks for these three to be escaped. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  // Not in the middle of an escape.
  return `${text.slice(0, most - 1).replace(/&[a-z]{0,3}$/, '')}…`;
}

function mrkdwn(text: string): SlackText {
  return { type: 'mrkdwn', text, verbatim: true };
}
