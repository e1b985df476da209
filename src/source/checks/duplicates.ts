import type { KeyPath } from '../yaml/source-ranges.ts';
import type { YamlMap, YamlNode, YamlProblem } from '../yaml/tree.ts';
import { keysAt } from './levels.ts';

/**
 * Adds to duplicate keys where they are defined first, and which level they were probably meant for. `root` is the tree of the whole text, and
 * `lineOf` returns the line of an offset.
 */
export function explainDuplicates(
  root: YamlNode,
  problems: readonly YamlProblem[],
  lineOf: (offset: number) => number,
): readonly YamlProblem[] {
  const incomplete = new Set<number>();
  const pasted = pastedAgain(root, problems);
  return problems.flatMap((duplicate) => {
    if (pasted?.has(duplicate))
      return pasted.values().next().value === duplicate
        ? [
            {
              ...duplicate,
              message: `the file starts again here: ${pasted.size} top-level keys are already defined from line ${lineOf(duplicate.first ?? 0)} on`,
              hint: 'remove one of the two copies, or make two files',
            },
          ]
        : [];
    const { first } = duplicate;
    if (first === undefined) return [duplicate];
    const problem = { ...duplicate, message: `${duplicate.message} at line ${lineOf(first)}` };
    const path = pathTo(root, first);
    if (!path) return [problem];
    const [, , key] = path;
    // An API whose name is missing repeats all keys of the one before it.
    const map = path.length === 3 && path[0] === 'apis' ? mapAt(root, path.slice(0, 2)) : null;
    if (map && incomplete.has(map.start)) return [];
    if (map && (key === 'id' || key === 'name')) {
      incomplete.add(map.start);
      return [{ ...problem, hint: 'if another API starts here, add a line with its name before it; else keep the one that is right' }];
    }
    const hint = hintFor(root, path, problem.start);
    return [hint === null ? problem : { ...problem, hint }];
  });
}

/** Returns the duplicates of top-level keys if there are so many that the file was pasted into itself. */
function pastedAgain(root: YamlNode, problems: readonly YamlProblem[]): ReadonlySet<YamlProblem> | null {
  if (root.kind !== 'map') return null;
  const keys = new Set([...root.entries.values()].map(({ base, key }) => base + key.start));
  const duplicates = problems.filter(({ first }) => first !== undefined && keys.has(first));
  return duplicates.length >= 3 ? new Set(duplicates) : null;
}

function hintFor(root: YamlNode, path: KeyPath, at: number): string | null {
  const key = path.at(-1) ?? '';
  const before = pathBefore(root, at);
  for (let length = before.length; length >= path.length; length -= 1) {
    const outer = before.slice(0, length);
    const map = mapAt(root, outer);
    if (map && !map.entries.has(key) && keysAt('File', outer).includes(key))
      return `if it belongs to \`${outer.at(-1)}\`, indent it as the other keys of \`${outer.at(-1)}\``;
  }
  return path.length === 1 && mapAt(root, path) ? `move its entries below the first \`${key}\`` : null;
}

/** Returns the path of the entry whose key starts at an offset. */
function pathTo(node: YamlNode, at: number, path: KeyPath = []): KeyPath | null {
  if (node.kind === 'seq') {
    const index = node.items.findIndex(({ start, end }) => start <= at && at < end);
    const item = node.items[index];
    return item ? pathTo(item, at, [...path, String(index)]) : null;
  }
  if (node.kind !== 'map') return null;
  for (const [name, { key, node: inner }] of node.entries) {
    if (key.start === at) return [...path, name];
    if (inner.start <= at && at < inner.end) return pathTo(inner, at, [...path, name]);
  }
  return null;
}

/** Returns the path of the last key before an offset. */
function pathBefore(root: YamlNode, at: number): KeyPath {
  const path: string[] = [];
  let node = root;
  while (node.kind === 'map') {
    let last: [string, YamlNode] | null = null;
    for (const [name, entry] of node.entries) if (entry.key.start < at) last = [name, entry.node];
    if (!last) break;
    path.push(last[0]);
    node = last[1];
  }
  return path;
}

function mapAt(root: YamlNode, path: KeyPath): YamlMap | null {
  let node: YamlNode | undefined = root;
  for (const step of path) node = node?.kind === 'map' ? node.entries.get(step)?.node : undefined;
  return node?.kind === 'map' ? node : null;
}
