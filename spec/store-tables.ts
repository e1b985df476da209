import type { Generated } from 'kysely';

/*
 * The tables of the store, as its queries see them. Each engine creates them from its schema in src/store/.
 * Times are milliseconds since 1970.
 */

interface SettingTable {
  readonly name: string;
  readonly value: string;
}

interface GatewayTable {
  readonly id: Generated<number>;
  readonly endpoint: string;
  readonly project: string;
  readonly instance: string;
  readonly released_at_ms: number | null;
  readonly controller_status: string | null;
  readonly listed_apis: number | null;
  readonly listed_publications: number | null;
  readonly observed_at_ms: number | null;
  /** JSON. */
  readonly listed_details: string | null;
  /** JSON. */
  readonly looked_up: string | null;
  readonly unobserved: string | null;
  readonly suspension: string | null;
  readonly request: string | null;
  /** JSON. */
  readonly moved: string | null;
  readonly applied_digests: string | null;
  readonly fence: Generated<number>;
}

interface AttemptTable {
  readonly id: Generated<number>;
  readonly gateway_id: number;
  readonly reconcile_id: string;
  readonly api: string;
  readonly api_id: string;
  readonly environment: string;
  readonly environment_id: string;
  readonly action: string;
  readonly reason: string;
  readonly revision: string | null;
  readonly remark: string | null;
  readonly marker: string | null;
  readonly requested_version_id: string | null;
  readonly approval_id: number | null;
  readonly commit_id: string | null;
  readonly fence: number;
  readonly started_at_ms: number;
  readonly send_by_ms: number;
  readonly finished_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly outcome: string | null;
  readonly code: string | null;
  readonly status: number | null;
  readonly message: string | null;
  readonly request_id: string | null;
  readonly version_id: string | null;
  readonly publish_id: string | null;
  readonly prior_state: string;
  readonly prior_revision: string | null;
  readonly prior_version_id: string | null;
}

interface PublicationTable {
  readonly id: Generated<number>;
  readonly gateway_id: number;
  readonly api: string;
  readonly api_id: string;
  readonly environment: string;
  readonly environment_id: string;
  readonly state: string | null;
  readonly revision: string | null;
  readonly version_id: string | null;
  readonly publish_id: string | null;
  readonly published_at_ms: number | null;
  readonly edited_at_ms: number | null;
  readonly recorded_at_ms: number;
  readonly unknown_attempt_id: number | null;
  readonly last_attempt_id: number | null;
  readonly drift_from: string | null;
  readonly drift_from_since_ms: number | null;
  readonly drift_detected_at_ms: number | null;
  readonly drift_backoff_until_ms: number | null;
  readonly corrections: Generated<number>;
  readonly corrected_at_ms: number | null;
  readonly changed_at_ms: number | null;
  readonly was_declared: Generated<number>;
}

interface DeclaredTable {
  readonly gateway_id: number;
  readonly api_id: string;
  readonly environment_id: string;
  readonly source_file: string;
}

interface NameTable {
  readonly gateway_id: number;
  readonly name: string;
  readonly id: string;
}

interface ApprovalTable {
  readonly id: Generated<number>;
  readonly gateway_id: number;
  readonly digest: string;
  readonly approved_by: string;
  readonly reason: string;
  readonly approved_at_ms: number;
  readonly expires_at_ms: number;
  readonly scope: string;
  readonly is_file_hold_released: Generated<number>;
}

export interface Tables {
  readonly setting: SettingTable;
  readonly gateway: GatewayTable;
  readonly attempt: AttemptTable;
  readonly publication: PublicationTable;
  readonly declared: DeclaredTable;
  readonly name: NameTable;
  readonly approval: ApprovalTable;
}
