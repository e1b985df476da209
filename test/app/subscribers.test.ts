import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAppContext, systemClock } from '../../src/app/context.ts';
import { parseSettings } from '../../src/app/settings.ts';
import { openSubscribers, webhookSettings } from '../../src/app/subscribers.ts';
import { EdictError } from '../../src/model/errors.ts';
import { scratchFolder } from '../support/edict-process.ts';

const test = suite('subscribers');
const read = (env: Record<string, string>) => webhookSettings(env, systemClock);
const url = 'https://hooks.example.com/MARKED';
const key = Buffer.alloc(32, 7);
const secret = `whsec_${key.toString('base64')}`;

/** Returns the error for settings that cannot be used. */
async function refusal(env: Record<string, string>): Promise<string> {
  try {
    await read(env);
    return '';
  } catch (error) {
    assert.instance(error, EdictError);
    const { code, message, hint } = error as EdictError;
    for (const part of ['MARKED', 'c2VjcmV0']) assert.not.match(`${message} ${hint}`, part);
    return `${code} ${message}; ${hint}`;
  }
}

test('nothing is posted unless an environment variable sets a webhook', async () => {
  assert.is(await read({}), null);
  assert.is(await read({ EDICT_WEBHOOK_SECRET: secret }), null);
  const context = createAppContext(parseSettings('f', {}), {});
  await using _subscribers = await openSubscribers(context);
  context.events.emit({ type: 'requests:resumed' });
});

test('a webhook has a URL, the key from its secret, and the proxies of the process', async () => {
  const settings = await read({ EDICT_WEBHOOK_URL: ` ${url} `, EDICT_WEBHOOK_SECRET: ` ${secret} ` });
  assert.equal([settings?.url().href, settings?.key(), settings?.proxies], [url, key, null]);
  const proxied = await read({ EDICT_WEBHOOK_URL: url, EDICT_WEBHOOK_SECRET: secret, HTTPS_PROXY: 'http://proxy:3128' });
  assert.is(proxied?.proxies?.httpsProxy, 'http://proxy:3128');
});

test('URL and secret can be in files, which are read again', async () => {
  const [urlFile, secretFile] = ['url', 'secret'].map((name) => join(scratchFolder(), name)) as [string, string];
  writeFileSync(urlFile, `${url}\n`);
  writeFileSync(secretFile, `${secret}\n`);
  let nowMs = 0;
  const files = { EDICT_WEBHOOK_URL_FILE: urlFile, EDICT_WEBHOOK_SECRET_FILE: secretFile };
  const settings = await webhookSettings(files, { monotonicMs: () => nowMs });
  assert.equal([settings?.url().href, settings?.key()], [url, key]);
  const other = Buffer.alloc(24, 8);
  writeFileSync(secretFile, `whsec_${other.toString('base64')}`);
  nowMs = 10_000;
  await settings?.refresh?.();
  assert.equal(settings?.key(), other);
  assert.match(
    await refusal({ ...files, EDICT_WEBHOOK_URL_FILE: `${urlFile}-not` }),
    'WEBHOOK EDICT_WEBHOOK_URL_FILE cannot be read: ENOENT',
  );
  assert.match(await refusal({ ...files, EDICT_WEBHOOK_SECRET_FILE: '/not' }), 'WEBHOOK EDICT_WEBHOOK_SECRET_FILE cannot be read: ENOENT');
});

test('an unusable URL or secret is rejected without being shown', async () => {
  for (const address of ['hooks.example.com/MARKED', 'ftp://example.com/MARKED', 'https://']) {
    const expected = 'WEBHOOK EDICT_WEBHOOK_URL is not a URL that can be posted to; expected http://… or https://…';
    assert.is(await refusal({ EDICT_WEBHOOK_URL: address, EDICT_WEBHOOK_SECRET: secret }), expected);
  }
  const expected = 'expected whsec_ and 24 to 64 bytes as base64: echo "whsec_$(openssl rand -base64 32)"';
  assert.is(await refusal({ EDICT_WEBHOOK_URL: url }), `WEBHOOK EDICT_WEBHOOK_URL needs EDICT_WEBHOOK_SECRET, which signs; ${expected}`);
  for (const bytes of [0, 23, 65]) {
    const secret = `whsec_${Buffer.from('secret'.repeat(20)).subarray(0, bytes).toString('base64')}`;
    assert.is(
      await refusal({ EDICT_WEBHOOK_URL: url, EDICT_WEBHOOK_SECRET: secret }),
      `WEBHOOK EDICT_WEBHOOK_SECRET is not a signing secret; ${expected}`,
    );
  }
  for (const secret of ['MARKED', `${key.toString('base64')}`, `whsec_${key.toString('hex')}!`]) {
    assert.match(await refusal({ EDICT_WEBHOOK_URL: url, EDICT_WEBHOOK_SECRET: secret }), 'is not a signing secret');
  }
});

test.run();
