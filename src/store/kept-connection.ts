import type pg from 'pg';
import { type ConnectOptions, connect } from './postgres-connection.ts';

/** One connection to PostgreSQL, opened when it is first needed, and anew when it was lost. */
export class ReconnectingClient {
  readonly #options: ConnectOptions;
  #current: Promise<pg.Client> | null = null;

  constructor(how: ConnectOptions) {
    this.#options = how;
  }

  /** The connection as it was last asked for; `null` if it never was, or was lost. */
  get current(): Promise<pg.Client> | null {
    return this.#current;
  }

  /** Resolves to the connection, a new one where there is none. Rejects like `connect`. */
  open(): Promise<pg.Client> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  /** Ends the connection, if there is one. */
  async close(): Promise<void> {
    const client = await this.#current?.catch(() => null);
    this.#current = null;
    await client?.end().catch(() => {});
  }

  #connect(): Promise<pg.Client> {
    const connecting = connect(this.#options).then(
      (client) => client.once('end', forget).once('error', forget),
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    // By then there may be another one, which is still to be closed.
    const forget = (): void => {
      if (this.#current === connecting) this.#current = null;
    };
    return connecting;
  }
}
