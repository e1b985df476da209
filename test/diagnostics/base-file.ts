/** A valid file with every setting that people write. The mistakes are edits of it. */
export const baseFile = `edict: 1
gateway:
  endpoint: https://roma.example.com
  project: p1
  instance: i1
  limit: { calls: 10, per: 1s, concurrency: 4 }
  timeout: 30s
environments:
  test: e1
  release: { id: e2, protected: true }
prune: false
guards:
  maxOffline: 5
  maxRemoved: 30%
rollout:
  - environment: test
    soak: 10m
    probe: https://test.example.com/{api}/health
  - release
freeze:
  - name: weekend
    from: "0 18 * * FRI"
    to: "0 8 * * MON"
    timezone: Europe/Berlin
apis:
  orders:
    id: 5f918d104dc84480a75166ba99efff21
    revision: r1
    remark: first release
    environments:
      test: online
      release: offline
  invoices:
    id: 9191cdb430724d4b8586ed7f1b962ca2
    environments: { test: online, release: online }
  carts:
    id: c1
    environments:
      test: { state: online, revision: r7 }
`;

/** A mistake: what somebody did, the whole text with marks `«…»` where the diagnostics must be, and what each must say. */
export interface Mistake {
  readonly name: string;
  readonly marked: string;
  /** Parts of the message and hint, for each mark. */
  readonly says: readonly (readonly string[])[];
}

/** Returns the mistake of replacing the only `from` in the base file with `to`; `says` are parts of the one message and hint. */
export function edit(name: string, from: string, to: string, ...says: readonly string[]): Mistake {
  return edits(name, [[from, to]], ...says);
}

/** Returns the mistake of several replacements. */
export function edits(name: string, changes: readonly (readonly [from: string, to: string])[], ...says: readonly string[]): Mistake {
  let marked = baseFile;
  for (const [from, to] of changes) {
    if (marked.split(from).length !== 2) throw new Error(`${name}: ${JSON.stringify(from)} must occur once`);
    marked = marked.replace(from, () => to);
  }
  return { name, marked, says: [says] };
}

/** Returns the mistake of a whole text. */
export function file(name: string, marked: string, ...says: readonly string[]): Mistake {
  return { name, marked, says: [says] };
}

/** Returns the mistake with one diagnostic for each mark: there are as many causes. */
export function several(mistake: Mistake, ...says: readonly (readonly string[])[]): Mistake {
  return { ...mistake, says };
}
