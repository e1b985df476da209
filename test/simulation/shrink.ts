import { type HistoryChoices, runHistory } from './history.ts';
import type { SimulationOptions } from './options.ts';

/** The most histories that are tried to make one smaller. */
const maxTries = 400;

/**
 * Returns smaller options whose history still breaks the same invariant: without events, faults and settings that do not matter. Resolves to
 * `options` themselves if nothing can be left out.
 */
export async function shrink(options: SimulationOptions, violation: string, choices: HistoryChoices): Promise<SimulationOptions> {
  let smallest = options;
  let tries = 0;
  const kind = kindOf(violation);
  const isStillBroken = async (candidate: SimulationOptions): Promise<boolean> => {
    tries += 1;
    const { violations } = await runHistory(candidate, choices);
    return violations[0] !== undefined && kindOf(violations[0]) === kind;
  };
  for (let hasShrunk = true; hasShrunk && tries < maxTries; ) {
    hasShrunk = false;
    for (const candidate of smallerThan(smallest)) {
      if (tries >= maxTries) break;
      if (!(await isStillBroken(candidate))) continue;
      smallest = candidate;
      hasShrunk = true;
      break;
    }
  }
  return smallest;
}

/** Returns the name of the broken invariant. */
export function kindOf(violation: string): string {
  return violation.slice(0, violation.indexOf(':'));
}

/** Settings that most histories do not need. */
const plain = {
  replicas: 1,
  batchSize: 1,
  isMarkerEnabled: true,
  dropsRemarks: false,
  propagationDelayMs: 0,
  isRolloutOrdered: false,
  driftPolicy: 'report',
  refreshMs: null,
  faultRate: 0,
  badApis: {},
  onlineAtStart: [],
} as const satisfies Partial<SimulationOptions>;

function* smallerThan(options: SimulationOptions): Generator<SimulationOptions> {
  for (const [index] of options.events.entries()) yield { ...options, events: options.events.toSpliced(index, 1) };
  for (const [name, value] of Object.entries(plain)) {
    if (JSON.stringify(options[name as keyof typeof plain]) !== JSON.stringify(value)) yield { ...options, [name]: value };
  }
  for (const [index] of options.file.publications.entries())
    yield { ...options, file: { ...options.file, publications: options.file.publications.toSpliced(index, 1) } };
}
