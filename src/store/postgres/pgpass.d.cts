// pgpass ships no types.
declare module 'pgpass' {
  interface Login {
    readonly host: string;
    readonly port: number;
    readonly database?: string | undefined;
    readonly user?: string | undefined;
  }
  function pgpass(login: Login, callback: (password: string | undefined) => void): void;
  export = pgpass;
}
