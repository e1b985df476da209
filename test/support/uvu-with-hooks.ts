import { inspect } from 'node:util';
import * as uvu from 'uvu';

type Hook<T> = (context: T) => void | Promise<void>;

/** How long a file may stay alive after a failed `before` hook: nothing closes what the hook had opened. */
const aliveMs = 1_000;

/** Returns uvu's suite, whose hooks write their errors to stderr and hide no other error. */
export function suite<T = Record<string, unknown>>(name?: string, state?: T & Record<string, unknown>): uvu.Test<T> {
  return withHooks(uvu.suite<T>(name, state as T));
}

/** The suite without a name. */
export const test = withHooks(uvu.test);

/** Runs the tests that are queued. */
export const exec = (uvu as unknown as { exec(): Promise<void> }).exec;

function withHooks<T>(original: uvu.Test<T>): uvu.Test<T> {
  let hasFailedToStart = false;
  let isFailing = false;
  const report = (hook: string, error: unknown): void => {
    process.stderr.write(`\nThe ${hook} hook failed: ${inspect(error)}\n`);
  };
  const opening = (hook: Hook<T>) => async (context: T) => {
    try {
      await hook(context);
    } catch (error) {
      hasFailedToStart = true;
      report('before', error);
      setTimeout(() => process.exit(1), aliveMs).unref();
      throw error;
    }
  };
  const closing = (hook: Hook<T>) => async (context: T) => {
    try {
      await hook(context);
    } catch (error) {
      if (hasFailedToStart) return;
      report('after', error);
      throw error;
    }
  };
  const openingEach = (hook: Hook<T>) => async (context: T) => {
    isFailing = true;
    await hook(context);
    isFailing = false;
  };
  const closingEach = (hook: Hook<T>) => async (context: T) => {
    try {
      await hook(context);
    } catch (error) {
      report('after each', error);
      if (isFailing) return;
      isFailing = true; // uvu runs the hooks again after it has caught this error
      throw error;
    }
  };
  const watched = (handler: Hook<T>) => async (context: T) => {
    isFailing = true;
    await handler(context);
    isFailing = false;
  };
  return Object.assign((title: string, handler: Hook<T>) => original(title, watched(handler)), {
    before: Object.assign((hook: Hook<T>) => original.before(opening(hook)), {
      each: (hook: Hook<T>) => original.before.each(openingEach(hook)),
    }),
    after: Object.assign((hook: Hook<T>) => original.after(closing(hook)), {
      each: (hook: Hook<T>) => original.after.each(closingEach(hook)),
    }),
    only: (title: string, handler: Hook<T>) => original.only(title, watched(handler)),
    skip: original.skip,
    run: original.run,
  }) as uvu.Test<T>;
}
