import type { BrowserContextOptions, Page } from 'playwright-core';
import type { Attempt } from '../../src/model/attempt.ts';
import type { DesiredPublication, DesiredState } from '../../src/model/desired-state.ts';
import type { EdictEvent } from '../../src/model/events.ts';
import type { RecordedPublication } from '../../src/model/recorded-state.ts';
import { diffStates } from '../../src/plan/diff.ts';
import { Broadcaster } from '../../src/server/broadcaster.ts';
import { StatusCache } from '../../src/server/status-cache.ts';
import { openContext } from './browser.ts';
import { desiredState, recordedState } from './states.ts';
import { startTestServer, type TestServerOptions } from './status-server.ts';

/** A page that shows the events of a test. */
export interface ShownPage {
  readonly page: Page;
  readonly url: string;
  /** Emits this event of the controller. */
  emit(...events: readonly EdictEvent[]): void;
  /** Emits the events of a file with `wanted` that is loaded and planned against a record with `was`. */
  plan(wanted: readonly DesiredPublication[], was: readonly RecordedPublication[], over?: Parameters<typeof desiredState>[1]): DesiredState;
  /** The errors of the browser. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Opens the real page from a real server in a real browser; the test takes the place of the controller. */
export async function openShownPage(
  attempts: readonly Attempt[] = [],
  {
    tokens = {},
    file = 'edict.yaml',
    ...options
  }: BrowserContextOptions & { readonly tokens?: Pick<TestServerOptions, 'act' | 'read'>; readonly file?: string } = {},
): Promise<ShownPage> {
  const statusCache = new StatusCache(Date.now);
  const daemonInfo = { version: '1.2.3', file, approveCommand: () => 'edict approve sha256:0 --by NAME --reason TEXT' };
  const broadcaster = new Broadcaster(statusCache, daemonInfo);
  const server = await startTestServer({
    ...tokens,
    shown: {
      ...{ statusCache, broadcaster, daemonInfo },
      history: async (_, { apis }) => attempts.filter(({ apiId }) => apis?.includes(apiId) ?? true),
    },
  });
  const context = await openContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(server.url);
  const emit: ShownPage['emit'] = (...events) => {
    for (const event of events) statusCache.emit(event);
  };
  return {
    ...{ page, url: server.url, emit, complaints },
    plan: (wanted, was, over) => {
      const desired = desiredState(wanted, over);
      const recorded = recordedState(was);
      const plan = diffStates(desired, recorded);
      emit({ type: 'file:loaded', desired }, { type: 'plan:computed', reconcileId: 'reconcile-1', cause: 'file', plan, recorded });
      return desired;
    },
    close: async () => {
      await context.close();
      await server.close();
    },
  };
}
