/** The environment variables of the process. Only `main` and `app` read them and pass on what other folders need. */
export type Env = Readonly<Record<string, string | undefined>>;
