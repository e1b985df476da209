/** The variables that an edict file may use, as the documentation names them. */
export const fileVariables = 'HW_PROJECT_ID, HW_REGION_NAME, EDICT_VAR_*';

/**
 * Returns whether an edict file may use a variable. The author of the file is not trusted with others: they may hold secrets, and plans, pages
 * and requests show what is in the file.
 */
export function isFileVariable(name: string): boolean {
  return /^(?:HW_PROJECT_ID|HW_REGION_NAME|EDICT_VAR_[A-Z0-9_]+)$/.test(name);
}

/** A variable that holds a credential. */
export type CredentialVariable =
  | 'HW_ACCESS_KEY'
  | 'HW_SECRET_KEY'
  | 'HW_SECURITY_TOKEN'
  | 'HW_USER_PASSWORD'
  | 'HW_AUTH_TOKEN'
  | 'EDICT_STATE'
  | 'EDICT_TOKEN'
  | 'EDICT_READ_TOKEN'
  | 'EDICT_WEBHOOK_URL'
  | 'EDICT_WEBHOOK_SECRET'
  | 'PGPASSWORD';

/** The environment variables of the process. Only `main` and `app` read them and pass on what other folders need. */
export type Env = Readonly<Record<string, string | undefined>>;
