import type { DesiredState, Suspension } from './desired-state.ts';
import type { GatewayIdentity, GatewayMove } from './gateway.ts';
import type { Action, PublicationKey } from './publication.ts';

/** Why a change is held. `rule` is stable, `message` is the reason for people, `hint` the next step. */
export interface Hold {
  readonly rule:
    | 'protected'
    | 'undeclared'
    | 'maxOffline'
    | 'maxRepublish'
    | 'swappedIds'
    | 'recreated'
    | 'maxRemoved'
    | 'empty'
    | 'missingInclude'
    | 'otherGateway'
    | 'movedGateway'
    | 'newGateway'
    | 'first-contact'
    | 'unobserved'
    | 'unresolvedNames';
  readonly message: string;
  readonly hint: string;
}

/** The part of an approval that released changes and their attempts carry. */
export interface ApprovalRef {
  readonly id: number;
  readonly by: string;
  readonly reason: string;
  /** No call may be sent under this approval after this time, in milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/**
 * Why the whole file is held. `affected` lists what is missing or belongs elsewhere, so that an approval covers exactly these
 * entries.
 */
export interface FileHold extends Hold {
  readonly affected: readonly string[];
}

/** Returns why this change needs approval because of its environment; `null` if it does not. */
export function protectionHold(
  change: { readonly action: Action; readonly environment: string; readonly environmentId: string },
  desired: DesiredState,
): Hold | null {
  if (change.action !== 'offline') return null;
  const environment = desired.environments.get(change.environmentId);
  if (!environment) {
    return {
      rule: 'undeclared',
      message: `environment ${change.environment} was removed from the file, so its \`protected\` setting is gone`,
      hint: `keep ${change.environment} under \`environments\` until nothing is online there`,
    };
  }
  if (!environment.isProtected) return null;
  return {
    rule: 'protected',
    message: `environment ${environment.name} is protected: nothing goes offline there`,
    hint: 'check that it is intended',
  };
}

/** The facts about earlier applied files that the store keeps. */
export interface PreviousState {
  /** Publications that the last applied file declared, each with its `sourceFile`; empty if no file was applied yet. */
  readonly declared: ReadonlyMap<PublicationKey, string>;
  /** API IDs declared for other gateways. Read only if no file was applied to this gateway yet. */
  readonly otherGateways: readonly { readonly gateway: GatewayIdentity; readonly apiIds: ReadonlySet<string> }[];
  /** The last move of a followed file to this gateway; `null` if there was none. */
  readonly moved: GatewayMove | null;
  readonly approvals: readonly Approval[];
  /** A suspension set with a command, outside the file; `null` if there is none. */
  readonly suspension: Suspension | null;
}

/** A person's decision to release what is held. */
export interface Approval extends ApprovalRef {
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly approvedAtMs: number;
  /** The changes and the file hold that it releases, as the entries of `approvalScope`. */
  readonly scope: readonly string[];
  /** Publications already changed under this approval. It releases each change once. */
  readonly usedKeys: ReadonlySet<PublicationKey>;
  /** Whether the held file that it released has been applied. */
  readonly isFileHoldReleased: boolean;
}

/** An approval before the store has assigned its ID. */
export type NewApproval = Omit<Approval, 'id' | 'usedKeys' | 'isFileHoldReleased'>;
