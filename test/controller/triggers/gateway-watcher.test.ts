import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GatewayWatcher } from '../../../src/controller/triggers/gateway-watcher.ts';
import type { GatewayIdentity } from '../../../src/model/gateway.ts';
import type { GatewayChange } from '../../../src/store/interface.ts';
import { gatewaySettings } from '../../support/states.ts';

const test = suite('gateway watcher');

/** A store whose watches the test answers, and what the watcher does. */
function watching() {
  const watches: { instance: string; tell: (change: GatewayChange) => void; isEnded: boolean }[] = [];
  const done: string[] = [];
  const watched = { isWaiting: true, withdraw: () => done.push('withdrawn') };
  let opening: Promise<void> = Promise.resolve();
  const watcher = new GatewayWatcher({
    store: {
      watch: async ({ instance }: GatewayIdentity, tell) => {
        await opening;
        const watch = { instance, tell, isEnded: false };
        watches.push(watch);
        return Object.assign(watched, {
          [Symbol.dispose]: () => {
            watch.isEnded = true;
          },
        });
      },
    },
    trigger: (cause) => done.push(cause),
    onAvailable: () => done.push('available'),
  });
  const open = Promise.withResolvers<void>();
  return { watcher, watches, watched, done, hold: () => (opening = open.promise), release: open.resolve };
}

test('triggers a reconciliation for each change, and a suspension before the file that the request may be about', async () => {
  const { watcher, watches, done } = watching();
  await watcher.follow(gatewaySettings());
  for (const change of ['requested', 'approved', 'available'] as const) watches[0]?.tell(change);
  assert.equal(done, ['suspension', 'requested', 'approval', 'available']);
});

test('continues for the same gateway, and starts anew for another one', async () => {
  const { watcher, watches, done } = watching();
  await watcher.follow(gatewaySettings());
  await watcher.follow({ ...gatewaySettings() });
  assert.is(watches.length, 1);
  await watcher.follow(gatewaySettings({ instance: 'other' }));
  assert.equal(
    watches.map(({ isEnded }) => isEnded),
    [true, false],
  );
  watches[0]?.tell('approved');
  watches[1]?.tell('approved');
  assert.equal(done, ['approval']);
});

test('waits for the lease until it is available, or another process has applied a file that may be newer', async () => {
  const { watcher, watches, watched, done } = watching();
  assert.not(watcher.isWaiting, 'nothing is known yet');
  await watcher.follow(gatewaySettings());
  assert.ok(watcher.isWaiting);
  watches[0]?.tell('applied');
  assert.equal([watcher.isWaiting, done], [false, ['resync']]);
  await watcher.follow(gatewaySettings());
  assert.ok(watcher.isWaiting, 'the files have been compared');
  watched.isWaiting = false;
  assert.not(watcher.isWaiting);
  watcher.withdraw();
  assert.equal(done, ['resync', 'withdrawn']);
});

test('a watch that opens after the end is ended', async () => {
  const { watcher, watches, hold, release } = watching();
  hold();
  const following = watcher.follow(gatewaySettings());
  watcher[Symbol.dispose]();
  release();
  await following;
  assert.ok(watches[0]?.isEnded);
  assert.not(watcher.isWaiting);
});

test.run();
