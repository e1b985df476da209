/** The patterns that a person gave, as they were given; of a kind without any, everything is meant. */
export interface TargetPatterns {
  readonly apis: readonly string[];
  readonly environments: readonly string[];
}
