import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../../src/cli/program.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { fileOf, seedOf, startEdict, until } from '../support/edict-process.ts';
import { gitRepository } from '../support/git-repository.ts';
import { planDocument } from '../support/json-schemas.ts';
import { testContext } from '../support/streams.ts';

/** File and folder names with a special meaning for a shell, a URL, a pattern, Git or an option parser. */
const names = [`it's "größe" 海`, '-leading-dash [a]*{b} 100% #1?', '~;b&c$HOME`d` :(top)'];

const env = { HW_AUTH_TOKEN: 'token', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

async function emulatorWith(...apis: readonly string[]): Promise<Emulator & AsyncDisposable> {
  const emulator = await startEmulator({ seed: seedOf(...apis) });
  return { ...emulator, [Symbol.asyncDispose]: () => emulator.close() };
}

for (const name of names) {
  test(`a file, a folder, a store and a saved plan named ${name} work in every command`, async () => {
    await using emulator = await emulatorWith('orders', 'carts');
    const { folder: root, git } = gitRepository();
    const folder = join(root, name);
    const inner = `${name}.d`;
    mkdirSync(join(folder, inner), { recursive: true });
    process.chdir(folder);
    const [file, part, state, out] = [`${name}.yaml`, `${inner}/part.yaml`, `${inner}/state.db`, `./${name}.plan`];
    writeFileSync(join(folder, file), `${fileOf(emulator.url, { orders: 'online' })}include: [${JSON.stringify(part)}]\n`);
    writeFileSync(join(folder, part), 'apis:\n  carts: { id: api-carts, environments: { test: online } }\n');
    git('add', '--all', '.');
    git('commit', '--quiet', '--message', 'both');
    const run = async (...args: readonly string[]) => {
      const { context, stdout, stderr } = testContext({ ...env, PATH: process.env['PATH'] ?? '' });
      const store = args[0] === 'validate' ? [] : ['--state', `sqlite:${state}`];
      assert.is(await runCli([...args, ...store, '--', file], context), 0, `${args[0]}: ${stdout()}${stderr()}`);
      return stdout();
    };

    await run('validate');
    const { changes } = planDocument<{ changes: { source: { file: string; commit: { author: string } | null } }[] }>(
      await run('plan', '--format', 'json', '--out', out),
    );
    assert.equal(
      changes.map(({ source }) => [source.file, source.commit?.author]).sort(),
      [
        [file, 'Nobody'],
        [part, 'Nobody'],
      ].sort(),
    );
    assert.ok(existsSync(join(folder, out)));
    assert.match(await run('apply', '--plan', out), '2');
    assert.ok(existsSync(join(folder, state)));
    assert.match(await run('status'), 'orders');
    assert.match(await run('history'), 'carts');

    writeFileSync(join(folder, part), readFileSync(join(folder, part), 'utf8').replace('online', 'offline'));
    await run('apply');
    execFileSync('git', ['apply', '-'], { cwd: folder, input: await run('undo') });
    assert.match(readFileSync(join(folder, part), 'utf8'), 'state: online, version:');

    const daemon = startEdict(['run', '--log-format', 'json', '--state', `sqlite:${state}`, '--', file], folder, env);
    const isOnline = () => emulator.state.publications().every(({ effective }) => effective !== null);
    await until('the daemon has applied the file', isOnline, [daemon]);
    rmSync(join(folder, part));
    writeFileSync(join(folder, part), 'apis:\n  carts: { id: api-carts, environments: { test: offline } }\n');
    await until('the daemon has seen the edit', () => !isOnline(), [daemon]);
    daemon.child.kill('SIGTERM');
    assert.is((await daemon.finished).code, 0);
  });
}

test.run();
