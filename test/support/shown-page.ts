import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { EngineEvent } from '../../src/core/events.ts';
import { plan } from '../../src/core/plan.ts';
import type { Attempt } from '../../src/core/ports.ts';
import type { DesiredPublication, DesiredState, RecordedPublication } from '../../src/core/publication.ts';
import { Board } from '../../src/server/board.ts';
import { Broadcast } from '../../src/server/broadcast.ts';
import { startServer } from '../../src/server/server.ts';
import { openBrowser } from './browser.ts';
import { desiredState, recordedState } from './states.ts';

/** A page that shows what a test has happen. */
export interface ShownPage {
  readonly page: Page;
  readonly url: string;
  /** Lets this happen in the engine. */
  emit(...events: readonly EngineEvent[]): void;
  /** Lets a file with `wanted` be read and planned against a record with `was`. */
  plan(wanted: readonly DesiredPublication[], was: readonly RecordedPublication[], over?: Parameters<typeof desiredState>[1]): DesiredState;
  /** What the browser has complained about. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Opens the real page from a real server with a real browser; only the engine is the test itself. */
export async function openShownPage(attempts: readonly Attempt[] = [], options: BrowserContextOptions = {}): Promise<ShownPage> {
  const board = new Board(Date.now);
  const about = { version: '1.2.3', file: 'edict.yaml', release: () => 'edict approve sha256:0 --by YOU --why REASON' };
  const broadcast = new Broadcast(board, about);
  const server = await startServer(
    { host: '127.0.0.1', port: 0 },
    {
      names: [],
      health: { live: () => ({ ok: true, message: '' }), ready: () => ({ ok: true, message: '' }) },
      metrics: { text: async () => '', contentType: 'text/plain' },
      sites: [
        {
          ...{ name: '', board, broadcast, about, now: Date.now, token: null },
          history: async (_, { apis }) => attempts.filter(({ apiId }) => apis?.includes(apiId) ?? true),
          approvals: async () => [],
          approve: async () => undefined,
          suspend: async () => undefined,
          resync: async () => undefined,
        },
      ],
    },
  );
  const browser: Browser = await openBrowser();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(server.url);
  const emit: ShownPage['emit'] = (...events) => {
    for (const event of events) board.emit(event);
  };
  return {
    ...{ page, url: server.url, emit, complaints },
    plan: (wanted, was, over) => {
      const desired = desiredState(wanted, over);
      const recorded = recordedState(was);
      const made = plan(desired, recorded);
      emit({ type: 'file:accepted', desired }, { type: 'plan:made', passId: 'pass', cause: 'file', plan: made, recorded });
      return desired;
    },
    close: async () => {
      await browser.close();
      broadcast.close();
      await server.close();
    },
  };
}
