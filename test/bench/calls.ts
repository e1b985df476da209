import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EmulatedGateway, startEmulatedGateway } from './emulated-gateway.ts';
import { generateFile } from './generated-file.ts';
import { runNode } from './measured-process.ts';
import { atLeast, grouped, type Row, table } from './table.ts';

/** The output of a measured child process. */
export interface CallsMade {
  readonly calls: number;
  readonly tookMs: number;
}

const publications = 20_000;
const concurrencies = [16, 64] as const;
const runs = 3;
const byEngine = join(import.meta.dirname, 'calls-by-engine.ts');
const bare = join(import.meta.dirname, 'calls-bare.ts');

/**
 * Measures calls a second, with durable records, beside a bare keep-alive loop and one that does nothing but record its calls, in
 * turns: edict cannot be faster than that. Returns the table.
 */
export async function measureCalls(main: string, folder: string): Promise<string> {
  const rows: Row[] = [];
  for (const concurrency of concurrencies) {
    const file = join(folder, `calls-${concurrency}.yaml`);
    const rates: Record<'bare' | 'recorded' | 'engine' | 'command', number[]> = { bare: [], recorded: [], engine: [], command: [] };
    /** Measures with an emulator of its own: what is published already would be adopted without a call. */
    const measure = async (make: () => Promise<CallsMade>): Promise<number> => {
      await using gateway = await startEmulatedGateway(main, folder, generateFile({ publications }).json);
      writeFileSync(file, generateFile({ publications, endpoint: gateway.url, concurrency }).text);
      return await rate(gateway, make);
    };
    for (let run = 0; run < runs; run += 1) {
      const state = (name: string): string => `sqlite:${join(folder, `calls-${concurrency}-${run}-${name}.db`)}`;
      rates.bare.push(await measure(() => childCalls([bare, file, String(concurrency)])));
      rates.recorded.push(await measure(() => childCalls([bare, file, String(concurrency), state('recorded')])));
      rates.engine.push(await measure(() => childCalls([byEngine, file, state('engine')])));
      rates.command.push(await measure(() => commandCalls([main, 'apply', file, '--state', state('command'), '--format', 'json'])));
    }
    const best = (of: keyof typeof rates): number => Math.max(...rates[of]);
    const floor = best('recorded');
    const share = (value: number): string => `${((value / floor) * 100).toFixed(0)} %`;
    rows.push({
      cells: [
        ...[String(concurrency), grouped(best('bare')), grouped(floor)],
        ...(['engine', 'command'] as const).map(best).flatMap((value) => [grouped(value), share(value)]),
      ],
      target: atLeast(best('engine') / floor, 0.8, '80 % (engine)'),
    });
  }
  return table(
    `Calls a second against the emulator, no limit, best of ${runs}: a bare keep-alive loop; the same with edict's two records a call on the disk and nothing else; the engine; the command, with its log too`,
    ['concurrency', 'bare loop', 'with records', 'engine', 'of that', 'command', 'of that'],
    rows,
  );
}

async function childCalls(args: readonly string[]): Promise<CallsMade> {
  return JSON.parse((await runNode(args)).stdout) as CallsMade;
}

async function commandCalls(args: readonly string[]): Promise<CallsMade> {
  const { stdout } = await runNode(args);
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { readonly online: number; readonly durationMs: number };
  return { calls: summary.online, tookMs: summary.durationMs };
}

/** Returns calls a second, after checking that the gateway received and accepted every call. */
async function rate(gateway: EmulatedGateway, make: () => Promise<CallsMade>): Promise<number> {
  const { calls, tookMs } = await make();
  const received = (await gateway.takeRequests()).filter(({ operation }) => operation === 'changePublication');
  const taken = received.filter(({ status }) => status === 201).length;
  if (calls === 0 || taken !== calls || received.length !== calls) {
    throw new Error(`${calls} calls were counted, ${received.length} received and ${taken} taken`);
  }
  return (calls / tookMs) * 1000;
}
