import type { YamlNode } from './tree.ts';

/** The only paths in the file whose value is a number. */
const numberPaths: ReadonlySet<string> = new Set([
  '.edict',
  '.gateway.limit.calls',
  '.gateway.limit.concurrency',
  '.gateway.batch',
  '.rollout[].probe.status',
]);

/**
 * Returns the plain value of a tree. Where the file expects a string, a number keeps its text: the ID `5e12` is not
 * 5,000,000,000,000, and the revision `1.10` is not `1.1`.
 */
export function toPlainValue(node: YamlNode, path = ''): unknown {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'number' && !isNumberPath(path) ? node.text : node.value;
    case 'seq':
      return node.items.map((item) => toPlainValue(item, `${path}[]`));
    case 'map': {
      const value: Record<string, unknown> = {};
      for (const [name, entry] of node.entries) {
        const inner = toPlainValue(entry.node, `${path}.${name}`);
        if (name === '__proto__') Object.defineProperty(value, name, { value: inner, enumerable: true });
        else value[name] = inner;
      }
      return value;
    }
  }
}

/** Everything below `guards` and `maxOffline` is a number or a share. */
function isNumberPath(path: string): boolean {
  return numberPaths.has(path) || path.startsWith('.guards.') || /^\.environments\..*\.maxOffline(?:\.count)?$/.test(path);
}

/** Returns whether a value of the file is a map. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
