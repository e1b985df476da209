import type pg from 'pg';
import { type Connecting, connect } from './postgres-connection.ts';

/** One connection to PostgreSQL, opened when it is first needed, and anew when it was lost. */
export class KeptConnection {
  readonly #how: Connecting;
  #present: Promise<pg.Client> | null = null;

  constructor(how: Connecting) {
    this.#how = how;
  }

  /** The connection as it was last asked for; `null` if it never was, or was lost. */
  get present(): Promise<pg.Client> | null {
    return this.#present;
  }

  /** Resolves to the connection, a new one where there is none. Rejects like `connect`. */
  open(): Promise<pg.Client> {
    this.#present ??= this.#connect();
    return this.#present;
  }

  /** Ends the connection, if there is one. */
  async close(): Promise<void> {
    const client = await this.#present?.catch(() => null);
    this.#present = null;
    await client?.end().catch(() => {});
  }

  #connect(): Promise<pg.Client> {
    const connecting = connect(this.#how).then(
      (client) => client.once('end', forget).once('error', forget),
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    // By then there may be another one, which is still to be closed.
    const forget = (): void => {
      if (this.#present === connecting) this.#present = null;
    };
    return connecting;
  }
}
