/** The variables of the process. Only `main` and `app` read them; everything else is given them. */
export type Env = Readonly<Record<string, string | undefined>>;
