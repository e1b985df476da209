/** Why a change is made later, without anybody's agreement. `rule` is stable; `message` says it to a person. */
export interface Wait {
  readonly rule: 'freeze' | 'suspended' | 'order';
  readonly message: string;
  /** When it ends, in milliseconds since 1970; `null` if another thing than the clock ends it. */
  readonly untilMs: number | null;
}
