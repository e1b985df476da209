import type { AppContext } from '../../model/app-context.ts';
import type { DesiredState } from '../../model/desired-state.ts';
import { type EdictError, InvalidFileError } from '../../model/errors.ts';
import { formatCommandLine, quoteForShell } from '../../render/command-line.ts';
import { pluralize } from '../../render/format.ts';
import type { StoreReader } from '../../store/interface.ts';
import { openReadonly, toDisplayUrl } from '../../store/open.ts';
import { type ValidatedFile, validateFile } from '../reports.ts';
import type { SettingsOptions } from '../settings.ts';
import { isFileError } from '../store/known-gateway.ts';
import { locateStore, storeExists } from '../store/store-location.ts';
import { type Check, checksAfter, failed, failedWith, passed, skipped } from './check.ts';
import { checkGateway } from './gateway-checks.ts';

/*
 * `edict doctor`: checks everything that edict needs, and says what to do about each problem. It sends only reads, and the login that they need;
 * it writes nothing, and makes no store.
 */

/**
 * Checks file, variables, store and gateway, each request within a few seconds. Returns one result for each of `checkNames`, in their order. `options`: those of
 * the command, from which the store is found. Throws only if the context's signal is aborted.
 */
export async function diagnose(context: AppContext, options: SettingsOptions): Promise<readonly Check[]> {
  await using resources = new AsyncDisposableStack();
  const { check: fileCheck, file } = await checkFile(context);
  const variables = checkVariables(file);
  const { check: storeCheck, store } = await checkStore(context, options, { desired: file?.desired ?? null, resources });
  const checks = [fileCheck, variables, storeCheck];
  const isComplete = file !== null && variables.status === 'ok';
  const gatewayChecks = isComplete
    ? await checkGateway(context, file, store)
    : skipped(checksAfter('store'), file === null ? 'a valid file' : 'the variables');
  context.signal.throwIfAborted();
  return [...checks, ...gatewayChecks];
}

async function checkFile(context: AppContext): Promise<{ readonly check: Check; readonly file: ValidatedFile | null }> {
  const { settings } = context;
  try {
    const file = await validateFile(context);
    const { publications, environments } = file.desired;
    const counts = `${pluralize(publications.size, 'publication')} in ${pluralize(environments.size, 'environment')}`;
    return { check: passed('file', `${settings.file} declares ${counts}`), file };
  } catch (error) {
    if (!isFileError(error)) return { check: failedWith('file', error), file: null };
    return { check: failed('file', describeFileError(error), fixOfFile(error, context)), file: null };
  }
}

function describeFileError(error: EdictError): string {
  const [first] = error instanceof InvalidFileError ? error.diagnostics : [];
  return first ? `${error.message}, the first at ${first.file}:${first.line}:${first.column}: ${first.message}` : error.message;
}

function fixOfFile(error: EdictError, { settings }: AppContext): string | null {
  if (error.code === 'FILE_NOT_FOUND') return `name your file, or write a first one: edict init ${quoteForShell(settings.file)}`;
  if (error instanceof InvalidFileError) return `all errors, with their lines: ${formatCommandLine('validate', [], settings)}`;
  return error.hint;
}

function checkVariables(file: ValidatedFile | null): Check {
  if (file === null) return { name: 'variables', status: 'skipped', result: 'needs a valid file', fix: null };
  const names = [...file.unsetVariables];
  if (names.length === 0) return passed('variables', 'all that the file uses are set');
  const isOne = names.length === 1;
  return failed(
    'variables',
    `${names.join(', ')} ${isOne ? 'is' : 'are'} not set`,
    `export ${names.map((name) => `${name}=VALUE`).join(' ')}`,
  );
}

async function checkStore(
  context: AppContext,
  options: SettingsOptions,
  { desired, resources }: { readonly desired: DesiredState | null; readonly resources: AsyncDisposableStack },
): Promise<{ readonly check: Check; readonly store: StoreReader | null }> {
  const { settings, env } = context;
  try {
    const { storeUrl } = (await locateStore(options, env, { paths: [settings.file], isWriting: true, findsEmulated: 'never' })).settings;
    const store = resources.adopt(await openReadonly({ url: storeUrl }), (opened) => opened.close());
    const shown = await toDisplayUrl(storeUrl);
    if (storeUrl.startsWith('sqlite:') && !(await storeExists(storeUrl)))
      return { check: passed('store', `${shown} does not exist yet; the first apply or run creates it`), store };
    const holder = desired && (await store.leaseHolder(desired.gateway));
    const lease = desired === null ? '' : holder === null ? '; no process holds the lease' : `; the lease is held by ${holder}`;
    return { check: passed('store', `${shown} can be read${lease}`), store };
  } catch (error) {
    return { check: failedWith('store', error), store: null };
  }
}
