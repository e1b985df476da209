import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/core/errors.ts';
import { openCredentials } from '../../src/gateway/auth.ts';
import { TokenCredentials } from '../../src/gateway/auth-token.ts';
import { answeringServer, settingsFor, tokenAnswer } from './answering-server.ts';

const settings = settingsFor('http://127.0.0.1:1');
const signal = AbortSignal.timeout(10_000);
const user = { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2', HW_DOMAIN_NAME: 'acme' };

function errorOf(environment: Record<string, string>): EdictError {
  try {
    openCredentials(environment, settings);
  } catch (error) {
    assert.instance(error, EdictError);
    return error as EdictError;
  }
  return assert.unreachable('nothing was thrown') as never;
}

test('a given token wins over a user', async () => {
  const credentials = openCredentials({ HW_AUTH_TOKEN: ' t0ken\n', ...user }, settings);
  assert.equal(await credentials.header(signal), { 'X-Auth-Token': 't0ken' });
});

test('an empty token is none', () => {
  assert.instance(openCredentials({ HW_AUTH_TOKEN: '', ...user }, settings), TokenCredentials);
});

test('a user logs in for the project of the file', async () => {
  const iam = await answeringServer((response) => tokenAnswer(response, 'new-token'));
  const credentials = openCredentials({ ...user, HW_PROJECT_ID: 'other', HW_PROJECT_NAME: 'other' }, { ...settings, iam: iam.url });
  assert.is(iam.requests.length, 0);
  assert.equal(await credentials.header(signal), { 'X-Auth-Token': 'new-token' });
  assert.equal(JSON.parse(iam.requests[0]?.body ?? ''), {
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'ada', password: 'hunter2', domain: { name: 'acme' } } } },
      scope: { project: { id: 'project-1' } },
    },
  });
  await iam.close();
});

for (const [environment, message, hint] of [
  [
    {},
    'there are no credentials: neither HW_AUTH_TOKEN nor a user is set',
    'set HW_AUTH_TOKEN (a token), or HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME (a user to log in with)',
  ],
  [
    { HW_USER_NAME: 'ada', HW_USER_PASSWORD: '' },
    'the credentials are incomplete: HW_USER_PASSWORD and HW_DOMAIN_NAME are not set',
    'set HW_AUTH_TOKEN (a token), or HW_USER_PASSWORD and HW_DOMAIN_NAME (a user to log in with)',
  ],
  [
    { HW_USER_NAME: 'ada', HW_USER_PASSWORD: 'hunter2' },
    'the credentials are incomplete: HW_DOMAIN_NAME is not set',
    'set HW_AUTH_TOKEN (a token), or HW_DOMAIN_NAME (a user to log in with)',
  ],
] as const) {
  test(`says what is missing when there is ${Object.keys(environment).join(' and ') || 'nothing'}`, () => {
    const error = errorOf(environment);
    assert.equal([error.code, error.message, error.hint], ['CREDENTIALS_MISSING', message, hint]);
  });
}

test('a token that can be none is refused without being shown', () => {
  const error = errorOf({ HW_AUTH_TOKEN: 'two words' });
  assert.is(error.code, 'CREDENTIALS_INVALID');
  assert.not.match(`${error.message} ${error.hint}`, 'two words');
});

test.run();
