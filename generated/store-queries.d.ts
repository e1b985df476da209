// Made by `npm run generate` from spec/. Do not edit.
export interface Query<P extends string> {
  readonly sql: string;
  readonly parameters: readonly P[];
}
export interface StoreQueries {
  readonly readSetting: Query<'name'>;
  readonly insertSetting: Query<'name' | 'value'>;
  readonly insertGateway: Query<'endpoint' | 'project' | 'instance'>;
  readonly findGateway: Query<'endpoint' | 'project' | 'instance'>;
  readonly readGateway: Query<'gateway'>;
  readonly enterGateway: Query<'gateway'>;
  readonly leaveGateway: Query<'atMs' | 'gateway'>;
  readonly describe: Query<'condition' | 'gateway'>;
  readonly suspend: Query<'suspension' | 'gateway'>;
  readonly setListed: Query<'listed' | 'gateway'>;
  readonly names: Query<'gateway'>;
  readonly forgetNames: Query<'gateway'>;
  readonly rememberName: Query<'gateway' | 'name' | 'id'>;
  readonly declared: Query<'gateway'>;
  readonly declaredElsewhere: Query<'gateway'>;
  readonly declare: Query<'gateway' | 'apiId' | 'environmentId' | 'home'>;
  readonly undeclare: Query<'gateway' | 'apiId' | 'environmentId'>;
  readonly history: Query<'gateway' | 'apis' | 'environments' | 'limit'>;
  readonly attempt: Query<'gateway' | 'attempt'>;
  readonly attemptsOfPass: Query<'gateway' | 'pass'>;
  readonly attemptsOfLastPass: Query<'gateway'>;
  readonly succeededAfter: Query<'gateway' | 'attempt'>;
  readonly lastAttempts: Query<'gateway'>;
  readonly doneWithApproval: Query<'gateway'>;
  readonly insertAttempt: Query<'gateway' | 'api' | 'apiId' | 'environment' | 'environmentId' | 'passId' | 'action' | 'reason' | 'revision' | 'remark' | 'marker' | 'version' | 'approval' | 'commitId' | 'fence' | 'atMs'>;
  readonly orphan: Query<'atMs' | 'gateway'>;
  readonly settleAttempt: Query<'atMs' | 'outcome' | 'code' | 'status' | 'message' | 'requestId' | 'versionId' | 'publishId' | 'attempt'>;
  readonly recorded: Query<'gateway'>;
  readonly recordedOne: Query<'gateway' | 'apiId' | 'environmentId'>;
  readonly markUnresolved: Query<'gateway' | 'api' | 'apiId' | 'environment' | 'environmentId' | 'atMs'>;
  readonly ensurePublication: Query<'gateway' | 'api' | 'apiId' | 'environment' | 'environmentId' | 'atMs'>;
  readonly record: Query<'api' | 'environment' | 'state' | 'revision' | 'versionId' | 'publishId' | 'publishedAtMs' | 'editedAtMs' | 'atMs' | 'unresolved' | 'driftFrom' | 'driftFromSinceMs' | 'driftSeenAtMs' | 'driftTruceUntilMs' | 'corrections' | 'correctedAtMs' | 'gateway' | 'apiId' | 'environmentId'>;
  readonly recordSettled: Query<'api' | 'environment' | 'state' | 'revision' | 'versionId' | 'publishId' | 'publishedAtMs' | 'editedAtMs' | 'atMs' | 'unresolved' | 'driftFrom' | 'driftFromSinceMs' | 'driftSeenAtMs' | 'driftTruceUntilMs' | 'corrections' | 'correctedAtMs' | 'gateway' | 'apiId' | 'environmentId'>;
  readonly approvals: Query<'gateway'>;
  readonly spendApproval: Query<'approval'>;
  readonly insertApproval: Query<'endpoint' | 'project' | 'instance' | 'digest' | 'by' | 'why' | 'atMs' | 'expiresAtMs' | 'work'>;
}
export declare const sqlite: StoreQueries;
export declare const postgres: StoreQueries;
