import type { YamlNode } from './yaml-tree.ts';

/** The only keys of the file whose value is a number. */
const numberKeys: ReadonlySet<string> = new Set(['edict', 'calls', 'concurrency']);

/**
 * Returns the plain value of a tree. A number where the file wants a text stays as it is written: the ID `5e12`
 * is not five million millions, and the revision `1.10` is not `1.1`.
 */
export function toValue(node: YamlNode, key = ''): unknown {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'number' && !numberKeys.has(key) ? node.text : node.value;
    case 'seq':
      return node.items.map((item) => toValue(item, key));
    case 'map': {
      const value: Record<string, unknown> = {};
      for (const [name, entry] of node.entries) {
        if (name === '__proto__') Object.defineProperty(value, name, { value: toValue(entry.node, name), enumerable: true });
        else value[name] = toValue(entry.node, name);
      }
      return value;
    }
  }
}
