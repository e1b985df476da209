import type { ObservedApi } from '../../src/model/observation.ts';
import type { GatewayListing } from '../../src/source/export/export.ts';
import { fc } from './fast-check.ts';

/** Names with a special meaning in YAML, JavaScript, comments or terminals. */
export const oddNames = [
  'orders',
  'Orders',
  'orders!',
  'orders-shop',
  'orders-2',
  'RELEASE',
  'release',
  'yes',
  'no',
  'y',
  'on',
  'null',
  '~',
  'true',
  '1e3',
  '0x1F',
  '0o17',
  '010',
  '12_000',
  '1:20',
  '.5',
  '.inf',
  '2026-11-20',
  '<<',
  '=',
  '__proto__',
  'constructor',
  'toString',
  '',
  ' ',
  '-',
  '---',
  '...',
  '- a',
  '? a',
  'a: b',
  'a:',
  ':a',
  'a #b',
  '#a',
  '"a"',
  "it's",
  '{a}',
  '[a]',
  '*a',
  '&a',
  '!a',
  '%a',
  '@a',
  '`a`',
  '$' + '{HW_AUTH_TOKEN}',
  'a\nb',
  'a\r\napis: {}',
  '\u0000',
  '\u0007bell',
  '\u001b[31mred',
  'a\u0085b',
  'a\u2028b',
  '\u202Eright to left',
  '\uFEFFbom',
  '\uD800',
  'é',
  'e\u0301',
  'İstanbul',
  '注文',
  'заказы',
  '💥',
  '𝒜pi',
  'v1/orders',
  'v1.orders',
  'x'.repeat(128),
  `${'x'.repeat(128)}y`,
  '𝒜'.repeat(200),
  'a '.repeat(3000),
] as const;

/** IDs that are valid in the file. */
export const allowedIds = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[0-9a-f]{32}$/) },
  fc.constantFrom('DEFAULT_ENVIRONMENT_RELEASE_ID', '1e3', '12', '012', '0x1F', 'null', 'yes', 'true', '__proto__', 'toString', '12_000'),
  fc.constantFrom('2026-11-20', 'a.b', 'a-b', '_', 'x'.repeat(128), `5f918d10${'x'.repeat(120)}`, 'orders', 'release', 'Release'),
  fc.stringMatching(/^5f918d10[0-9]?$/),
);

const refusedIds = fc.constantFrom('', ' ', 'a b', '-a', 'é', 'x'.repeat(129), 'a\nb', 'a: b', '#', '$' + '{X}');

export const names = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddNames) },
  { weight: 2, arbitrary: fc.constantFrom('orders', 'invoices', 'orders (v2)', 'test') },
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
);

const times = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
);

/** Possible gateway lists, valid or not: duplicate names, names and IDs of every kind, environments with publications that are not listed. */
export const listings: fc.Arbitrary<GatewayListing> = fc
  .uniqueArray(fc.oneof({ weight: 15, arbitrary: allowedIds }, refusedIds), { maxLength: 8 })
  .chain((environmentIds) => {
    const isPublishedIn = fc.subarray(environmentIds);
    const api = fc.record({
      apiId: fc.oneof({ weight: 15, arbitrary: allowedIds }, refusedIds),
      name: names,
      groupId: fc.constantFrom('', 'g1', 'g2'),
      group: fc.oneof(fc.constantFrom('', 'shop', 'pay'), names),
      editedAtMs: times,
      publications: fc
        .tuple(isPublishedIn, times)
        .map(([ids, publishedAtMs]) => new Map(ids.map((id) => [id, { publishId: `p${id}`, publishedAtMs }]))),
    });
    return fc.record({
      gateway: fc.constant({ endpoint: 'https://roma.example.com', project: 'project', instance: 'instance' }),
      apis: fc.uniqueArray<ObservedApi, string>(api, { maxLength: 12, selector: ({ apiId }) => apiId }),
      environments: fc
        .tuple(fc.subarray(environmentIds), fc.array(names, { minLength: environmentIds.length, maxLength: environmentIds.length }))
        .map(([ids, given]) => ids.map((id, index) => ({ id, name: given[index] ?? '' }))),
    });
  });
