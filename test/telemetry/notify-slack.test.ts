import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { components } from '../../generated/edict-notification.d.ts';
import { messageFor } from '../../src/telemetry/notify-document.ts';
import { slackMessage } from '../../src/telemetry/notify-slack.ts';
import { everyNotice, namesOf } from '../support/notices.ts';

type Notification = components['schemas']['Notification'];

const gateway = { endpoint: 'https://roma.example.com', project: 'p', instance: 'i' };
const whole: Notification = { ...messageFor(everyNotice, 'id', 0, { file: 'edict.yaml', emulated: true, gateway }), undelivered: 0 };

/** Returns the texts of a message's blocks. */
function textsOf(notification: Notification): string[] {
  return slackMessage(notification).blocks.flatMap((block) =>
    block.type === 'section' ? [block.text.text] : block.elements.map(({ text }) => text),
  );
}

test('each kind is a section with a title in words, and the end says where it comes from', () => {
  const texts = textsOf(whole);
  assert.is(texts.length, 7);
  for (const [index, title] of ['*Failed*', '*Held*', '*Invalid file*', '*Drifted*', '*Recovered*', '*Applied*'].entries())
    assert.match(texts[index] ?? '', title);
  assert.is(texts[6], 'edict · edict.yaml, https://roma.example.com, instance i, emulated');
  assert.match(texts[0] ?? '', '• orders in test: APIG.3002 no such API (check)');
  assert.match(texts[1] ?? '', '```edict approve sha256:1```');
  assert.match(texts[2] ?? '', '• edict.yaml:3:5 "onlin" is not allowed');
  assert.match(texts[3] ?? '', '• carts in test: offline now, was online (drift)');
  assert.match(texts[5] ?? '', '• − orders in test');
  assert.match(slackMessage(whole).text, 'edict: failed: 1 publication fails');
});

test('what others have named is no markup, and no mention', () => {
  const [, , , , , applied] = whole.notices;
  assert.ok(applied?.kind === 'applied');
  const named = (api: string): string => {
    const notice = { ...applied, publications: [{ ...namesOf(api), action: 'online' } as const] };
    return textsOf({ ...whole, notices: [notice] })[0]?.split('\n• + ')[1] ?? '';
  };
  assert.is(named('<!channel> & <https://x|y>'), '&lt;!channel&gt; &amp; &lt;https://x|y&gt; in test');
  assert.is(named('*bold*').replaceAll('\u200B', '·'), '·*·bold·*· in test');
  assert.is(named('`code`').replaceAll('\u200B', '·'), '·`·code·`· in test');
  assert.is(named('order_service_v2'), 'order_service_v2 in test');
});

test('the command can be copied as it is', () => {
  const held = whole.notices.find(({ kind }) => kind === 'held');
  assert.ok(held?.kind === 'held');
  const command = "edict approve sha256:1 'a_file_.yaml' --by YOU --why REASON";
  assert.match(textsOf({ ...whole, notices: [{ ...held, command }] })[0] ?? '', `\`\`\`${command}\`\`\``);
});

test('no text is longer than Slack takes, and what is left out is counted', () => {
  const long = '&'.repeat(1000);
  const failures = Array.from({ length: 10 }, (_, index) => {
    return { what: 'publication', publication: namesOf(`a${index}`), code: null, message: long, hint: null, since: whole.at } as const;
  });
  const texts = textsOf({
    ...whole,
    notices: [{ kind: 'failed', summary: long, count: 9000, isReminder: true, failures }],
    undelivered: 3,
  });
  for (const text of texts) assert.ok(text.length <= 3000, `${text.length} characters`);
  assert.match(texts[0] ?? '', '*Failed* (still so)');
  assert.match(texts[0] ?? '', '_and 8990 more_');
  assert.not.match(texts[0] ?? '', /&(?!amp;)/);
  assert.match(texts[1] ?? '', '3 messages before this could not be delivered.');
});

test.run();
