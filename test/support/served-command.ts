import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { edict } from './edict-command.ts';
import { scratchFolder } from './edict-process.ts';

/** Asks the process that serves it to run the command with these arguments and variables, in this folder. */
const script = (port: number): string => `#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/${port}
printf '%s\\0' "$PWD" "$@" | base64 -w0 >&3
echo >&3
env -0 | base64 -w0 >&3
echo >&3
read -r code <&3
read -r stdout <&3
read -r stderr <&3
base64 -d <<<"$stdout"
base64 -d <<<"$stderr" >&2
exit "$code"
`;

/** A command for scripts, until it is disposed. */
export interface ServedCommand extends AsyncDisposable {
  /** The folder with `edict`, for the `PATH`. */
  readonly folder: string;
}

/** Serves a command `edict` that runs in this process: for tests about scripts, which start it dozens of times. */
export async function serveCommand(): Promise<ServedCommand> {
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((socket) => {
    let request = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      request += chunk;
      const [place, variables, end] = request.split('\n');
      if (end === undefined) return;
      const [cwd = '', ...args] = texts(place);
      const env = Object.fromEntries(texts(variables).map((text) => [text.split('=', 1)[0], text.replace(/^[^=]*=/, '')]));
      last = last.then(async () => {
        const { code, stdout, stderr } = await edict(args, cwd, env);
        socket.end([code, ...[stdout, stderr].map((text) => Buffer.from(text).toString('base64')), ''].join('\n'));
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = scratchFolder();
  writeFileSync(join(folder, 'edict'), script((server.address() as AddressInfo).port));
  chmodSync(join(folder, 'edict'), 0o755);
  return { folder, [Symbol.asyncDispose]: async () => void server.close() };
}

/** Returns texts that end in a zero each, from base64. */
function texts(encoded = ''): string[] {
  return Buffer.from(encoded, 'base64').toString().split('\0').slice(0, -1);
}
