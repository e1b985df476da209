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

/** The values of maps that have no numbers: a map that an edit leaves as it is keeps its node, and thereby its value. */
const values = new WeakMap<YamlNode, Readonly<Record<string, unknown>>>();

/**
 * Returns the plain value of a tree; the same object for the same map, so that what is known of it need not be found again. Where the file expects a string, a number keeps its text: the ID `5e12` is not
 * 5,000,000,000,000, and the revision `1.10` is not `1.1`.
 */
export function toPlainValue(node: YamlNode, numbers: NumberPaths = numberPaths): unknown {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'number' && numbers !== 'here' && numbers !== 'below' ? node.text : node.value;
    case 'seq':
      return node.items.map((item) => toPlainValue(item, numbersAt(numbers, '*')));
    case 'map': {
      const known = numbers === 'nowhere' ? values.get(node) : undefined;
      if (known) return known;
      const value: Record<string, unknown> = {};
      let hasIndex = false;
      for (const [name, entry] of node.entries) {
        const inner = toPlainValue(entry.node, numbersAt(numbers, name));
        if (name === '__proto__') Object.defineProperty(value, name, { value: inner, enumerable: true });
        else value[name] = inner;
        hasIndex ||= isIndex(name);
      }
      if (hasIndex) orders.set(value, [...node.entries.keys()]);
      if (numbers === 'nowhere') values.set(node, value);
      return value;
    }
  }
}

function numbersAt(numbers: NumberPaths, key: string): NumberPaths {
  if (typeof numbers !== 'object') return numbers === 'below' ? 'below' : 'nowhere';
  return (Object.hasOwn(numbers, key) ? numbers[key] : numbers['*']) ?? 'nowhere';
}

/** The keys of objects in the order of the file, where it is not that of the object: names like `12` come first in every object. */
const orders = new WeakMap<object, readonly string[]>();

function isIndex(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 48 && first <= 57 && /^\d+$/.test(name);
}

/** Returns the entries of a map of the file in the order in which they are written. */
export function entriesInOrder<T>(value: { readonly [name: string]: T }): [string, T][] {
  const order = orders.get(value);
  return order ? order.map((name) => [name, value[name] as T]) : Object.entries(value);
}

/** Returns a map with these entries, whose order `entriesInOrder` keeps. */
export function mapInOrder<T>(entries: readonly (readonly [string, T])[]): { [name: string]: T } {
  const value = Object.fromEntries(entries);
  if (entries.some(([name]) => isIndex(name))) orders.set(value, [...new Set(entries.map(([name]) => name))]);
  return value;
}

/** Returns whether a value of the file is a map. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
