import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkOrigin } from '../../src/server/origin-check.ts';

const names = new Set(['edict.example.com']);

for (const [name, hostname, headers, status] of [
  ['an address', '10.0.0.7', {}, undefined],
  ['an address of version 6', '[::1]', {}, undefined],
  ['this machine', 'localhost', {}, undefined],
  ['a configured host name', 'edict.example.com', {}, undefined],
  ['an unknown name that resolves to this host', 'evil.example.com', {}, 421],
  ['a name that starts with a configured one', 'edict.example.com.evil.example', {}, 421],
  ['no name', '', {}, 421],
  ['its own page', '127.0.0.1', { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:9470', host: '127.0.0.1:9470' }, undefined],
  ['a person who types the address', '127.0.0.1', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, undefined],
  ['a link on another site', '127.0.0.1', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, undefined],
  ['a script of another site', '127.0.0.1', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, 403],
  ['an image of another site', '127.0.0.1', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
  ['a page on another port of this machine', 'localhost', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
  ['an older browser’s script of another site', '127.0.0.1', { origin: 'https://evil.example.com', host: '127.0.0.1:9470' }, 403],
  ['a page without an origin', '127.0.0.1', { origin: 'null', host: '127.0.0.1:9470' }, 403],
] as const) {
  test(`${status === undefined ? 'accepts' : 'rejects'} a request from ${name}`, () => {
    assert.is(checkOrigin({ hostname, headers }, names)?.status, status);
  });
}

test('a name with control characters is shown with them made visible', () => {
  assert.match(checkOrigin({ hostname: 'evil\u0085\u202e', headers: {} }, names)?.message ?? '', /^evil\\u\{85\}\\u\{202e\} is not/);
});

test.run();
