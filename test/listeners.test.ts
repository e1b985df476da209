import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { settingsFrom } from '../src/config.ts';
import { EdictError } from '../src/core/errors.ts';
import { systemClock } from '../src/engine/system-clock.ts';
import { notifySettings, openListeners } from '../src/listeners.ts';
import { scratchFolder } from './support/edict-process.ts';

const test = suite('listeners');
const read = (environment: Record<string, string>) => notifySettings(environment, systemClock);
const url = 'https://hooks.example.com/SECRET';

/** Returns what is said of settings that are none. */
function refusal(environment: Record<string, string>): string {
  try {
    read(environment);
    return '';
  } catch (error) {
    assert.instance(error, EdictError);
    const { code, message, hint } = error as EdictError;
    assert.not.match(`${message} ${hint}`, 'SECRET');
    return `${code} ${message}; ${hint}`;
  }
}

test('nobody is told of anything unless the environment says so', async () => {
  assert.is(read({}), null);
  assert.is(read({ EDICT_NOTIFY_ON: 'failed', EDICT_NOTIFY_SECRET: 's' }), null);
  const listeners = await openListeners({}, { settings: settingsFrom('f', {}), clock: systemClock, emit: () => {} });
  listeners.emit({ type: 'calls:resumed' });
  await listeners.close();
});

test('both receivers, what they are told and when', () => {
  const settings = read({
    EDICT_NOTIFY_URL: ` ${url} `,
    EDICT_NOTIFY_SLACK_URL: 'http://slack.example.com/x',
    EDICT_NOTIFY_ON: 'failed, held,',
    EDICT_NOTIFY_SECRET: 's',
    EDICT_NOTIFY_WINDOW: '2m',
  });
  assert.equal(
    settings?.receivers.map(({ form, address, secret }) => [form, address().href, secret()]),
    [
      ['json', url, 's'],
      ['slack', 'http://slack.example.com/x', null],
    ],
  );
  assert.equal([[...(settings?.kinds ?? [])], settings?.windowMs], [['failed', 'held'], 120_000]);
  const plain = read({ EDICT_NOTIFY_URL: url });
  assert.equal([plain?.kinds.size, plain?.windowMs, plain?.receivers[0]?.secret()], [6, 30_000, null]);
});

test('an address may stand in a file', () => {
  const file = join(scratchFolder(), 'address');
  writeFileSync(file, `${url}\n`);
  assert.is(read({ EDICT_NOTIFY_URL_FILE: file })?.receivers[0]?.address().href, url);
  assert.match(refusal({ EDICT_NOTIFY_URL_FILE: `${file}-not` }), 'NOTIFY EDICT_NOTIFY_URL_FILE cannot be read: ENOENT');
});

test('what is no setting is refused, without showing it', () => {
  for (const address of ['hooks.example.com/SECRET', 'ftp://example.com/SECRET', 'https://']) {
    const expected = 'NOTIFY EDICT_NOTIFY_SLACK_URL is not an address that messages can be posted to; expected http://… or https://…';
    assert.is(refusal({ EDICT_NOTIFY_SLACK_URL: address }), expected);
  }
  assert.match(
    refusal({ EDICT_NOTIFY_URL: url, EDICT_NOTIFY_ON: 'failed,broken' }),
    'no kind of notice: broken; expected some of failed, held, invalid',
  );
  for (const window of ['soon', '0s']) assert.match(refusal({ EDICT_NOTIFY_URL: url, EDICT_NOTIFY_WINDOW: window }), 'is not a duration');
});

test.run();
