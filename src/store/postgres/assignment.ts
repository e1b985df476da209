/** A gateway with its lease holder and the processes that could hold its lease. */
export interface AssignableGateway {
  readonly gatewayId: number;
  /** `null` if the lease is free. */
  readonly holder: string | null;
  /** Live processes that share gateways. */
  readonly candidates: readonly string[];
}

/**
 * Assigns each gateway to a process. A holder keeps its gateway unless it shares gateways and another candidate has at least two fewer. The
 * result depends on the input alone, so all processes agree without a coordinator.
 */
export function assignGateways(gateways: readonly AssignableGateway[]): ReadonlyMap<number, string> {
  const sorted = gateways.toSorted((a, b) => a.gatewayId - b.gatewayId);
  const owners = new Map<number, string>();
  const loads = new Map<string, number>();
  const assign = (gatewayId: number, to: string): void => {
    const from = owners.get(gatewayId);
    if (from !== undefined) loads.set(from, (loads.get(from) ?? 0) - 1);
    owners.set(gatewayId, to);
    loads.set(to, (loads.get(to) ?? 0) + 1);
  };
  const leastLoaded = (candidates: readonly string[]): string | undefined =>
    candidates.toSorted((a, b) => (loads.get(a) ?? 0) - (loads.get(b) ?? 0) || (a < b ? -1 : 1))[0];
  for (const { gatewayId, holder } of sorted) if (holder !== null) assign(gatewayId, holder);
  for (const { gatewayId, holder, candidates } of sorted) {
    const candidate = holder === null ? leastLoaded(candidates) : undefined;
    if (candidate !== undefined) assign(gatewayId, candidate);
  }
  // Each move reduces the imbalance, so the loop terminates.
  for (let isEven = false; !isEven; ) {
    isEven = true;
    for (const { gatewayId, candidates } of sorted) {
      const [owner, other] = [owners.get(gatewayId), leastLoaded(candidates)];
      if (owner === undefined || other === undefined || !candidates.includes(owner)) continue;
      if ((loads.get(owner) ?? 0) < (loads.get(other) ?? 0) + 2) continue;
      assign(gatewayId, other);
      isEven = false;
    }
  }
  return owners;
}
