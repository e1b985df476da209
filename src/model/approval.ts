import type { Action, DesiredState, GatewayIdentity, PublicationKey, Suspension } from './publication.ts';

/** Why a change is held. `rule` is stable; `message` says it to a person, `hint` what to do about it. */
export interface Hold {
  readonly rule: 'protected' | 'undeclared' | 'maxOffline' | 'swapped' | 'lost' | 'empty' | 'vanished' | 'moved';
  readonly message: string;
  readonly hint: string;
}

/** A person's agreement, as what rests on it names it. */
export interface ApprovalRef {
  readonly id: number;
  readonly by: string;
  readonly reason: string;
  /** Until when a call that rests on it may leave, in milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Why a file as a whole is held. `lost`: what is missing, or found elsewhere, so that an approval is for this and nothing else. */
export interface FileHold extends Hold {
  readonly affected: readonly string[];
}

/** Returns why edict must not make this change until a person agrees, or `null` if nothing speaks against it. */
export function protectionHold(
  change: { readonly action: Action; readonly environment: string; readonly environmentId: string },
  desired: DesiredState,
): Hold | null {
  if (change.action !== 'offline') return null;
  const environment = desired.environments.get(change.environmentId);
  if (!environment) {
    return {
      rule: 'undeclared',
      message: `environment ${change.environment} left the file, and with it the word whether it is protected`,
      hint: `keep ${change.environment} under \`environments\` until nothing is online there`,
    };
  }
  if (!environment.isProtected) return null;
  return {
    rule: 'protected',
    message: `environment ${environment.name} is protected: nothing goes offline there`,
    hint: 'check that it is meant',
  };
}

/** What is known of the files before this one. */
export interface PreviousState {
  /** What the last file declared that was acted on, each with its `home`; empty if there was none. */
  readonly declared: ReadonlyMap<PublicationKey, string>;
  /** The IDs of APIs that files declared for other gateways, read only where nothing is known of this one. */
  readonly otherGateways: readonly { readonly gateway: GatewayIdentity; readonly apiIds: ReadonlySet<string> }[];
  readonly approvals: readonly Approval[];
  /** A person's word, beside the file, that no call is to be made for the time being; `null` if there is none. */
  readonly suspension: Suspension | null;
}

/** A person's agreement to what was held. */
export interface Approval extends ApprovalRef {
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly approvedAtMs: number;
  /** What it releases, each as `workOf` says it. */
  readonly scope: readonly string[];
  /** What has been made with it: it releases each change once. */
  readonly usedKeys: ReadonlySet<PublicationKey>;
  /** Whether the suspicious file that it is for has been acted on. */
  readonly isFileHoldReleased: boolean;
}

/** An approval that is not in the store yet. */
export type NewApproval = Omit<Approval, 'id' | 'usedKeys' | 'isFileHoldReleased'>;
