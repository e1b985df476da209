import type { YamlNode, YamlTree } from './yaml-tree.ts';

/** One entry of `include`. */
export interface IncludeEntry {
  /** Where it stands in the list. */
  readonly index: number;
  readonly pattern: string;
}

/** `maxLength` of an entry in spec/edict.schema.json. */
const maxIncludeLength = 1024;

/** Returns the entries of a file's `include` that may be looked for; what is wrong with the others, the check of the shape says. */
export function parseIncludes({ root }: YamlTree): IncludeEntry[] {
  const list = root.kind === 'map' ? root.entries.get('include')?.node : undefined;
  if (list?.kind !== 'seq') return [];
  return list.items.flatMap((item, index) => {
    const pattern = patternText(item);
    // Variables are refused outside of the gateway block, and no path holds a zero.
    const isPath = pattern !== '' && pattern.length <= maxIncludeLength && !pattern.includes('${') && !pattern.includes('\0');
    return isPath ? [{ index, pattern }] : [];
  });
}

function patternText(item: YamlNode): string {
  if (item.kind !== 'scalar') return '';
  if (typeof item.value === 'string') return item.value;
  return typeof item.value === 'number' ? item.text : '';
}
