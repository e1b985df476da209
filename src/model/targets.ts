/** The target patterns as the user gave them. An empty list matches everything. */
export interface TargetPatterns {
  readonly apis: readonly string[];
  readonly environments: readonly string[];
}
