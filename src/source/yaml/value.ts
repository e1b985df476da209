import type { YamlNode } from './tree.ts';

/** Where the file has numbers: at a key, or also below it. `*` is every key or item. */
type NumberPaths = 'here' | 'below' | 'nowhere' | { readonly [key: string]: NumberPaths };

const numberPaths: NumberPaths = {
  edict: 'here',
  gateway: { limit: { calls: 'here', concurrency: 'here' }, batch: 'here' },
  rollout: { '*': { probe: { status: 'here' } } },
  guards: { '*': 'below' },
  environments: { '*': { maxOffline: 'below' } },
};

/**
 * Returns the plain value of a tree. Where the file expects a string, a number keeps its text: the ID `5e12` is not
 * 5,000,000,000,000, and the revision `1.10` is not `1.1`.
 */
export function toPlainValue(node: YamlNode, numbers: NumberPaths = numberPaths): unknown {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'number' && numbers !== 'here' && numbers !== 'below' ? node.text : node.value;
    case 'seq':
      return node.items.map((item) => toPlainValue(item, numbersAt(numbers, '*')));
    case 'map': {
      const value: Record<string, unknown> = {};
      for (const [name, entry] of node.entries) {
        const inner = toPlainValue(entry.node, numbersAt(numbers, name));
        if (name === '__proto__') Object.defineProperty(value, name, { value: inner, enumerable: true });
        else value[name] = inner;
      }
      return value;
    }
  }
}

function numbersAt(numbers: NumberPaths, key: string): NumberPaths {
  if (typeof numbers !== 'object') return numbers === 'below' ? 'below' : 'nowhere';
  return (Object.hasOwn(numbers, key) ? numbers[key] : numbers['*']) ?? 'nowhere';
}

/** Returns whether a value of the file is a map. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
