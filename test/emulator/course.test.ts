import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, refusal } from '../../src/emulator/answers.ts';
import { courseOf, plain } from '../../src/emulator/course.ts';
import type { Fault } from '../../src/emulator/faults.ts';
import { randomFrom } from '../../src/emulator/random.ts';
import { World } from '../../src/emulator/world.ts';
import { smallSeed } from './emulated-call.ts';

const body = { api_id: 'a', env_id: 'e' };
const done: Answer = { status: 201, body, headers: { 'x-more': '1' } };
const denied = refusal({ status: 404, errorCode: 'APIG.3002', errorMsg: 'API x does not exist' });
const answering = { status: 503, errorCode: 'APIG.9999', errorMsg: 'System error' };
const success = { status: 201, required: ['api_id', 'env_id'] };

/** Runs a call that publishes, then answers `answer`, with a fault; returns its course and whether it took effect. */
function run(fault: object, answer: Answer = done) {
  const world = new World(smallSeed, () => new Date(0));
  const implementation = (): Answer => {
    if (answer === done) world.publish('a', 'e', '');
    return answer;
  };
  const { delivery, fault: kind } = courseOf({ times: 1, ...fault } as Fault, implementation, { world, success, random: randomFrom(1) });
  return { delivery, kind, applied: world.changes === 1 };
}

const textOf = (delivery: ReturnType<typeof run>['delivery']): string => ('written' in delivery ? delivery.written.text : '');

test('without a fault a call gets the whole answer', () => {
  assert.equal(plain(done), {
    delivery: { kind: 'whole', written: { status: 201, headers: { 'x-more': '1' }, text: '{"api_id":"a","env_id":"e"}' } },
    fault: null,
  });
});

for (const applied of [false, true]) {
  const what = applied ? 'that is applied' : 'that is not applied';

  test(`an answer ${what} is the fault's own`, () => {
    for (const kind of [{}, { kind: 'answer' }]) {
      const course = run({ ...answering, ...kind, applied, headers: { 'retry-after': '2' } });
      assert.is(course.applied, applied);
      assert.is(course.kind, 'answer');
      assert.is(course.delivery.kind, 'whole');
      assert.ok('written' in course.delivery);
      assert.is(course.delivery.written.status, 503);
      assert.equal(course.delivery.written.headers, { 'retry-after': '2' });
      assert.match(textOf(course.delivery), '"error_code":"APIG.9999","error_msg":"System error","request_id"');
    }
  });

  for (const kind of ['cut', 'hang']) {
    test(`a ${kind} ${what} has no answer`, () => {
      assert.equal(run({ kind, applied }), { delivery: { kind }, kind, applied });
    });
  }

  test(`half an answer ${what} is half of the service's own`, () => {
    assert.equal(run({ kind: 'half', applied }), {
      delivery: { kind: 'half', written: { status: 201, headers: { 'x-more': '1' }, text: JSON.stringify(body) } },
      kind: 'half',
      applied,
    });
  });

  test(`an invalid answer ${what} has the status and headers of success and another body`, () => {
    const { delivery, kind, applied: took } = run({ kind: 'invalid', applied });
    assert.equal([delivery.kind, kind, took], ['whole', 'invalid', applied]);
    assert.ok('written' in delivery);
    assert.equal([delivery.written.status, delivery.written.headers], [201, { 'x-more': '1' }]);
    assert.is.not(delivery.written.text, JSON.stringify(body));
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
  test(`a refused call is refused whatever fault it has: ${JSON.stringify(fault)}`, () => {
    assert.equal(run(fault, denied), { ...run(fault, denied), delivery: plain(denied).delivery, kind: null });
  });
}

test('what comes between a call and the service comes also to one that would be refused', () => {
  assert.is(run({ kind: 'cut' }, denied).kind, 'cut');
  assert.is(run(answering, denied).kind, 'answer');
});

test.run();
