import type { Fixture } from './fixture.ts';
import { peakMemory, runNode } from './measured-process.ts';
import { atMost, duration, grouped, median, type Row, table } from './table.ts';

const head = ['publications', 'file', 'plan', 'peak', 'floor', 'peak', 'plan / floor', '/ 10,000'];

/** The floor for every program that reads such a file: Node starts, reads the same content as JSON and parses it. */
const floorScript = "JSON.parse(require('node:fs').readFileSync(process.argv[1], 'utf8'))";

/** Measures an in-sync `edict plan` as a whole process beside the floor, in turns. Returns the table. */
export async function measurePlanProcess(main: string, fixtures: readonly Fixture[]): Promise<string> {
  const measured: { readonly fixture: Fixture; readonly planMs: number; readonly floorMs: number; readonly peaks: readonly number[] }[] =
    [];
  for (const fixture of fixtures) {
    const plan = [main, 'plan', fixture.file, '--state', fixture.state];
    const floor = ['-e', floorScript, fixture.jsonFile];
    const { stdout } = await runNode(plan);
    if (!/in sync/i.test(stdout)) throw new Error(`the plan is not in sync: ${stdout.slice(0, 300)}`);
    const planMs: number[] = [];
    const floorMs: number[] = [];
    for (let runs = fixture.publications > 10_000 ? 5 : 9; runs > 0; runs -= 1) {
      planMs.push((await runNode(plan)).tookMs);
      floorMs.push((await runNode(floor)).tookMs);
    }
    measured.push({ fixture, planMs: median(planMs), floorMs: median(floorMs), peaks: [await peakMemory(plan), await peakMemory(floor)] });
  }
  const reference = measured.find(({ fixture }) => fixture.publications === 10_000)?.planMs ?? Number.NaN;
  const rows = measured.flatMap(({ fixture: { publications, text }, planMs, floorMs, peaks: [planPeak = 0, floorPeak = 0] }): Row[] => {
    const row: Row = {
      cells: [
        grouped(publications),
        `${(text.length / 1e6).toFixed(1)} MB`,
        duration(planMs),
        `${grouped(planPeak)} MB`,
        duration(floorMs),
        `${grouped(floorPeak)} MB`,
        (planMs / floorMs).toFixed(1),
        (planMs / reference).toFixed(1),
      ],
    };
    if (publications === 10_000) {
      return [
        { ...row, target: atMost(planMs / floorMs, 10, '10 x the floor') },
        { cells: head.map(() => ''), target: atMost(planPeak, 130, '130 MB') },
      ];
    }
    return publications === 100_000 ? [{ ...row, target: atMost(planMs / reference, 10, '10 x 10,000') }] : [row];
  });
  return table('In-sync plan as a whole process (median), beside the floor: Node reads the same content and parses it as JSON', head, rows);
}
