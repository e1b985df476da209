/** `node calls-by-engine.ts FILE STATE`: applies the file as `edict apply` does, without its output, and writes `CallsMade` as JSON. */

import { applyOnce } from '../../src/app/apply.ts';
import { createAppContext } from '../../src/app/context.ts';
import { parseSettings } from '../../src/app/settings.ts';
import type { CallsMade } from './calls.ts';

const [file = '', storeUrl = ''] = process.argv.slice(2);
const { summary } = await applyOnce(createAppContext(parseSettings(file, { state: storeUrl }), process.env));
if (summary.failed > 0) throw new Error(`${summary.failed} calls failed`);
const made: CallsMade = { calls: summary.online + summary.offline, tookMs: summary.durationMs };
process.stdout.write(JSON.stringify(made));
