import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../src/model/errors.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import { AccessControl } from '../../src/server/access-control.ts';

const test = suite('access control');

const actToken = 'act-token-0123456789';
const readToken = 'read-token-0123456789';

function open(act: string | null = actToken, read: string | null = readToken) {
  const emitted: EdictEvent[] = [];
  let nowMs = 0;
  const access = new AccessControl({
    tokens: { act: () => act, read: () => read },
    monotonicMs: () => nowMs,
    emit: (event) => void emitted.push(event),
  });
  /** Returns the code of the error with which a request is rejected; `null` if it is not. */
  const ask = (what: 'requireReader' | 'requireActor', authorization?: string, remoteAddress = '192.0.2.1'): string | null => {
    try {
      access[what]({ headers: { ...(authorization !== undefined && { authorization }) }, socket: { remoteAddress } as never });
      return null;
    } catch (error) {
      assert.instance(error, EdictError);
      const { code, message, hint } = error as EdictError;
      assert.not.match(`${message} ${hint}`, /0123456789/);
      return code;
    }
  };
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  return { ask, advance, emitted };
}

const wrong = ['Bearer wrong', 'Bearer ', `Basic ${actToken}`, `Bearer ${actToken} and more`, `Bearer ${actToken.slice(0, -1)}`, actToken];

test('the token for actions allows actions and reading, that for reading allows reading alone', () => {
  const { ask } = open();
  for (const scheme of ['Bearer', 'bearer']) {
    assert.equal([ask('requireActor', `${scheme} ${actToken}`), ask('requireReader', `${scheme} ${actToken}`)], [null, null]);
    assert.equal([ask('requireActor', `${scheme} ${readToken}`), ask('requireReader', `${scheme} ${readToken}`)], ['TOKEN', null]);
  }
});

for (const given of [undefined, ...wrong]) {
  test(`${given ?? 'nothing'} allows neither`, () => {
    const { ask } = open();
    assert.equal([ask('requireActor', given), ask('requireReader', given)], ['TOKEN', 'TOKEN']);
  });
}

test('without a token for reading everybody reads, and without one for actions nobody acts', () => {
  const { ask } = open(null, null);
  for (const given of [undefined, ...wrong]) {
    assert.equal([ask('requireReader', given), ask('requireActor', given)], [null, 'TOKEN_NOT_CONFIGURED']);
  }
  assert.is(open(null).ask('requireReader', 'Bearer null'), 'TOKEN');
});

test('wrong tokens are reported with their address, a missing one is not', () => {
  const { ask, emitted } = open();
  ask('requireReader');
  assert.equal(emitted, []);
  ask('requireActor', 'Bearer wrong');
  assert.equal(emitted, [{ type: 'token:refused', address: '192.0.2.1', count: 1, waitMs: 0 }]);
});

test('after some wrong tokens an address must wait, longer each time, and other addresses need not', () => {
  const { ask, advance, emitted } = open();
  const right = `Bearer ${actToken}`;
  for (let count = 1; count < 5; count += 1) assert.is(ask('requireActor', 'Bearer wrong'), 'TOKEN');
  assert.is(ask('requireActor', right), null, 'a person who mistypes does not wait');
  const waits: number[] = [];
  for (let count = 0; count < 8; count += 1) {
    assert.is(ask('requireActor', 'Bearer wrong'), 'TOKEN');
    assert.equal([ask('requireActor', 'Bearer wrong'), ask('requireActor', right)], ['TOKEN_DELAYED', 'TOKEN_DELAYED']);
    assert.is(ask('requireActor', right, '192.0.2.2'), null);
    const last = emitted.at(-1);
    const waitMs = last?.type === 'token:refused' ? last.waitMs : 0;
    waits.push(waitMs);
    advance(waitMs - 1);
    assert.is(ask('requireActor', right), 'TOKEN_DELAYED');
    advance(1);
  }
  assert.equal(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.is(ask('requireActor', right), null);
  advance(10 * 60_000);
  assert.is(ask('requireActor', 'Bearer wrong'), 'TOKEN');
  assert.is(ask('requireActor', right), null, 'it starts anew');
});

test('addresses of one IPv6 network count as one, and IPv4 over IPv6 as IPv4', () => {
  const { ask, emitted } = open();
  const addresses = ['2001:db8::1', '2001:db8:0:0:1::2', '2001:db8:0:0:ffff:1:2:3', '::ffff:192.0.2.9', '192.0.2.9', 'fe80::1%eth0'];
  for (const address of addresses) ask('requireActor', 'Bearer wrong', address);
  assert.equal(
    emitted.map((event) => event.type === 'token:refused' && [event.address, event.count]),
    [...[1, 2, 3].map((count) => ['2001:db8:0:0::/64', count]), ...[1, 2].map((count) => ['192.0.2.9', count]), ['fe80:0:0:0::/64', 1]],
  );
});

test('the addresses that are remembered are limited', () => {
  const { ask } = open();
  for (let count = 0; count < 5; count += 1) ask('requireActor', 'Bearer wrong', '198.51.100.1');
  assert.is(ask('requireActor', 'Bearer wrong', '198.51.100.1'), 'TOKEN_DELAYED');
  for (let index = 0; index < 1000; index += 1) ask('requireActor', 'Bearer wrong', `10.0.${index >> 8}.${index & 255}`);
  assert.is(ask('requireActor', 'Bearer wrong', '198.51.100.1'), 'TOKEN');
});

test.run();
