/** A gateway, who has it, and who would work on it. */
export interface AssignableGateway {
  readonly gatewayId: number;
  /** `null`: nobody. */
  readonly holder: string | null;
  /** Those that live and would share it. */
  readonly candidates: readonly string[];
}

/**
 * Returns who is to have which gateway: whoever has it keeps it, unless it would share it and another has at least two fewer. Everybody who
 * knows the same claims comes to the same answer, so that nobody has to decide for all.
 */
export function assignGateways(claims: readonly AssignableGateway[]): ReadonlyMap<number, string> {
  const sorted = claims.toSorted((a, b) => a.gatewayId - b.gatewayId);
  const owners = new Map<number, string>();
  const loads = new Map<string, number>();
  const give = (gatewayId: number, to: string): void => {
    const from = owners.get(gatewayId);
    if (from !== undefined) loads.set(from, (loads.get(from) ?? 0) - 1);
    owners.set(gatewayId, to);
    loads.set(to, (loads.get(to) ?? 0) + 1);
  };
  const least = (wanted: readonly string[]): string | undefined =>
    wanted.toSorted((a, b) => (loads.get(a) ?? 0) - (loads.get(b) ?? 0) || (a < b ? -1 : 1))[0];
  for (const { gatewayId, holder } of sorted) if (holder !== null) give(gatewayId, holder);
  for (const { gatewayId, holder, candidates } of sorted) {
    const first = holder === null ? least(candidates) : undefined;
    if (first !== undefined) give(gatewayId, first);
  }
  // Each move makes the loads more even, so this ends.
  for (let isEven = false; !isEven; ) {
    isEven = true;
    for (const { gatewayId, candidates } of sorted) {
      const [owner, other] = [owners.get(gatewayId), least(candidates)];
      if (owner === undefined || other === undefined || !candidates.includes(owner)) continue;
      if ((loads.get(owner) ?? 0) < (loads.get(other) ?? 0) + 2) continue;
      give(gatewayId, other);
      isEven = false;
    }
  }
  return owners;
}
