import type { Action, DesiredState } from './publication.ts';

/** Why a change is held. `rule` is stable; `message` says it to a person, `hint` what to do about it. */
export interface Hold {
  readonly rule: 'protected';
  readonly message: string;
  readonly hint: string;
}

/** Returns why edict must not make this change until a person agrees, or `null` if nothing speaks against it. */
export function guard(change: { readonly action: Action; readonly environmentId: string }, desired: DesiredState): Hold | null {
  const environment = desired.environments.get(change.environmentId);
  if (change.action !== 'offline' || !environment?.protected) return null;
  return {
    rule: 'protected',
    message: `environment ${environment.name} is protected: nothing goes offline there`,
    hint: `if it is meant, set \`protected: false\` for ${environment.name} in the commit that takes it offline`,
  };
}
