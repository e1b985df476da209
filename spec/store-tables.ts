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
  readonly left_at_ms: number | null;
  readonly condition: string | null;
  readonly listed_apis: number | null;
  readonly suspension: string | null;
  readonly acted: string | null;
  readonly fence: Generated<number>;
}

interface AttemptTable {
  readonly id: Generated<number>;
  readonly gateway_id: number;
  readonly pass_id: string;
  readonly api: string;
  readonly api_id: string;
  readonly environment: string;
  readonly environment_id: string;
  readonly action: string;
  readonly reason: string;
  readonly revision: string | null;
  readonly remark: string | null;
  readonly marker: string | null;
  readonly asked_version_id: string | null;
  readonly approval_id: number | null;
  readonly commit_id: string | null;
  readonly fence: number;
  readonly began_at_ms: number;
  readonly settled_at_ms: number | null;
  readonly orphaned_at_ms: number | null;
  readonly outcome: string | null;
  readonly code: string | null;
  readonly status: number | null;
  readonly message: string | null;
  readonly request_id: string | null;
  readonly version_id: string | null;
  readonly publish_id: string | null;
  readonly before_state: string;
  readonly before_revision: string | null;
  readonly before_version_id: string | null;
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
  readonly unresolved_attempt_id: number | null;
  readonly last_attempt_id: number | null;
  readonly drift_from: string | null;
  readonly drift_from_since_ms: number | null;
  readonly drift_seen_at_ms: number | null;
  readonly drift_truce_until_ms: number | null;
  readonly corrections: Generated<number>;
  readonly corrected_at_ms: number | null;
}

interface DeclaredTable {
  readonly gateway_id: number;
  readonly api_id: string;
  readonly environment_id: string;
  readonly home: string;
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
  readonly why: string;
  readonly at_ms: number;
  readonly expires_at_ms: number;
  readonly work: string;
  readonly is_spent: Generated<number>;
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
