import type { Action, DesiredState } from './publication.ts';

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
