import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyFault, withoutFault } from '../../src/emulator/delivery.ts';
import type { Fault } from '../../src/emulator/faults.ts';
import { GatewayState } from '../../src/emulator/gateway-state.ts';
import { seededRandom } from '../../src/emulator/random.ts';
import { type EmulatedResponse, errorResponse } from '../../src/emulator/responses.ts';
import { smallSeed } from './emulated-call.ts';

const body = { api_id: 'a', env_id: 'e' };
const done: EmulatedResponse = { status: 201, body, headers: { 'x-more': '1' } };
const denied = errorResponse({ status: 404, errorCode: 'APIG.3002', errorMsg: 'API x does not exist' });
const answering = { status: 503, errorCode: 'APIG.9999', errorMsg: 'System error' };
const success = { status: 201, required: ['api_id', 'env_id'] };

/** Runs a call that publishes and responds with `answer`, with a fault; returns its delivery and whether it took effect. */
function run(fault: object, answer: EmulatedResponse = done) {
  const state = new GatewayState(smallSeed, () => new Date(0));
  const implementation = (): EmulatedResponse => {
    if (answer === done) state.publish('a', 'e', '');
    return answer;
  };
  const { delivery, fault: kind } = applyFault({ times: 1, ...fault } as Fault, implementation, {
    state,
    success,
    random: seededRandom(1),
  });
  return { delivery, kind, applied: state.changes === 1 };
}

const textOf = (delivery: ReturnType<typeof run>['delivery']): string => ('response' in delivery ? delivery.response.text : '');

test('without a fault a call gets the whole response', () => {
  assert.equal(withoutFault(done), {
    delivery: { kind: 'whole', response: { status: 201, headers: { 'x-more': '1' }, text: '{"api_id":"a","env_id":"e"}' } },
    fault: null,
  });
});

for (const applied of [false, true]) {
  const what = applied ? 'that is applied' : 'that is not applied';

  test(`a response ${what} is the one of the fault`, () => {
    for (const kind of [{}, { kind: 'answer' }]) {
      const course = run({ ...answering, ...kind, applied, headers: { 'retry-after': '2' } });
      assert.is(course.applied, applied);
      assert.is(course.kind, 'answer');
      assert.is(course.delivery.kind, 'whole');
      assert.ok('response' in course.delivery);
      assert.is(course.delivery.response.status, 503);
      assert.equal(course.delivery.response.headers, { 'retry-after': '2' });
      assert.match(textOf(course.delivery), '"error_code":"APIG.9999","error_msg":"System error"}');
    }
  });

  for (const kind of ['cut', 'hang']) {
    test(`a ${kind} ${what} has no response`, () => {
      assert.equal(run({ kind, applied }), { delivery: { kind }, kind, applied });
    });
  }

  test(`half a response ${what} is half of the response of the service`, () => {
    assert.equal(run({ kind: 'half', applied }), {
      delivery: { kind: 'half', response: { status: 201, headers: { 'x-more': '1' }, text: JSON.stringify(body) } },
      kind: 'half',
      applied,
    });
  });

  test(`an invalid response ${what} has the status and headers of success and another body`, () => {
    const { delivery, kind, applied: took } = run({ kind: 'invalid', applied });
    assert.equal([delivery.kind, kind, took], ['whole', 'invalid', applied]);
    assert.ok('response' in delivery);
    assert.equal([delivery.response.status, delivery.response.headers], [201, { 'x-more': '1' }]);
    assert.is.not(delivery.response.text, JSON.stringify(body));
  });
}

for (const fault of [
  { ...answering, applied: true },
  { kind: 'cut', applied: true },
  { kind: 'hang', applied: true },
  { kind: 'half', applied: true },
  { kind: 'invalid', applied: true },
  { kind: 'half' },
  { kind: 'invalid' },
]) {
  test(`a rejected call is rejected whatever fault it has: ${JSON.stringify(fault)}`, () => {
    assert.equal(run(fault, denied), { ...run(fault, denied), delivery: withoutFault(denied).delivery, kind: null });
  });
}

test('a fault in front of the service also affects a call that would be rejected', () => {
  assert.is(run({ kind: 'cut' }, denied).kind, 'cut');
  assert.is(run(answering, denied).kind, 'answer');
});

test.run();
