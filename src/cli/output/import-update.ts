import type { ImportUpdate } from '../../app/import.ts';
import type { Settings } from '../../model/settings.ts';
import { pluralize } from '../../render/format.ts';

/** The most publications that are listed one by one. */
const maxListed = 20;

/** Returns what the patch of `edict import --update` adds, in one line, and one line for everything that it does not. */
export function describeImportUpdate(
  { added, newApis, newEnvironments, skipped, manualEdits, diff, folder }: ImportUpdate,
  { file }: Settings,
): { readonly summary: string; readonly warnings: readonly string[] } {
  const warnings = [
    ...listFirst(skipped.map(({ api, environment, reason }) => `${api} in ${environment} is online and not added: ${reason}`)),
    ...listFirst(
      manualEdits.map(
        ({ api, apiId, environment, environmentId }) => `add by hand: ${api} (${apiId}) in ${environment} (${environmentId}): online`,
      ),
    ),
  ];
  if (diff === '') {
    const isComplete = warnings.length === 0;
    return {
      warnings,
      summary: isComplete ? `Nothing is missing: ${file} declares everything that is online at the gateway.` : 'Nothing else is missing.',
    };
  }
  const parts = [
    ...(newApis.length > 0 ? [pluralize(newApis.length, 'new API')] : []),
    ...(newEnvironments.length > 0
      ? [`the new ${newEnvironments.length === 1 ? 'environment' : 'environments'} ${newEnvironments.join(', ')}`]
      : []),
  ];
  const including = parts.length === 0 ? '' : `, with ${parts.join(' and ')}`;
  return {
    warnings,
    summary: `The patch adds ${pluralize(added.length, 'publication')}${including}. Apply it with git apply${folder === null ? '' : ` in ${folder}`}.`,
  };
}

function listFirst(lines: readonly string[]): readonly string[] {
  const rest = lines.length - maxListed;
  return rest > 0 ? [...lines.slice(0, maxListed), `and ${rest} more like this`] : lines;
}
