/*
 * For `node --import`, as the test runner starts each file: gives test files a uvu whose hooks show their own errors.
 *
 * uvu drops the error of a `before` hook, and of any hook when an `after` hook throws too: a failed set-up was reported as
 * "Cannot read properties of undefined (reading 'close')", or kept the process alive until its time limit.
 */
import { registerHooks } from 'node:module';
import { reportCpuTime } from './cpu-time.ts';

const wrapper = new URL('./uvu-with-hooks.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'uvu' && context.parentURL !== wrapper ? { url: wrapper, shortCircuit: true } : next(specifier, context),
});

reportCpuTime();
