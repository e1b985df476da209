/** The variables that hold a credential. None is allowed in the edict file, not even by name, because plans show the file's content. */
export const credentialVariables = [
  'HW_ACCESS_KEY',
  'HW_SECRET_KEY',
  'HW_SECURITY_TOKEN',
  'HW_USER_PASSWORD',
  'HW_AUTH_TOKEN',
  'EDICT_STATE',
  'EDICT_TOKEN',
  'EDICT_WEBHOOK_URL',
  'EDICT_WEBHOOK_SECRET',
  'PGPASSWORD',
] as const;

export type CredentialVariable = (typeof credentialVariables)[number];

/** The environment variables of the process. Only `main` and `app` read them and pass on what other folders need. */
export type Env = Readonly<Record<string, string | undefined>>;
