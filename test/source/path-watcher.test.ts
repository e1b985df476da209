import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { watchPaths } from '../../src/source/path-watcher.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Well below the 5 s polling interval: a change noticed so soon came from an event. */
const soonMs = 2000;

const root = temporaryFolder();
let folders = 0;

function newFolder(): string {
  folders += 1;
  const folder = join(root, `${folders}`);
  mkdirSync(folder);
  return folder;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Points the link at `target` in one step, like git-sync and the kubelet. */
function swapLink(link: string, target: string): void {
  symlinkSync(target, `${link}.new`);
  renameSync(`${link}.new`, link);
}

async function contentOf(path: string): Promise<string> {
  try {
    return `${realpathSync(path)} ${readFileSync(path, 'utf8')}`;
  } catch {
    return 'absent';
  }
}

async function lookAt(path: string, ...directories: readonly string[]) {
  return { fingerprint: await contentOf(path), paths: [path], directories };
}

/** Watches `path` while `run` changes things; `noticed` does something and waits until the event has come. */
async function watching(
  path: string,
  run: (noticed: (act: () => void, what: string) => Promise<void>, hints: () => number) => Promise<void>,
) {
  let hints = 0;
  const watch = await watchPaths(
    () => lookAt(path),
    () => {
      hints += 1;
    },
  );
  const noticed = async (act: () => void, what: string): Promise<void> => {
    const before = hints;
    act();
    await eventually(() => hints > before, soonMs, what);
  };
  try {
    await run(noticed, () => hints);
  } finally {
    await watch.close();
  }
}

test('detects every save in place', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, '0');
  await watching(file, async (noticed) => {
    for (const text of ['1', '2', '3']) await noticed(() => writeFileSync(file, text), text);
    await noticed(() => appendFileSync(file, 'more'), 'appended');
  });
});

test('detects a file that is replaced by rename, and later writes to it', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, '0');
  await watching(file, async (noticed) => {
    for (const text of ['1', '2', '3']) {
      await noticed(() => {
        write(`${file}.tmp`, text);
        renameSync(`${file}.tmp`, file);
      }, `replaced by ${text}`);
      await noticed(() => writeFileSync(file, `${text} in place`), `${text} in place`);
    }
  });
});

test('detects saves by vim, which first moves the old file away, and by sed -i', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, 'a\n');
  await watching(file, async (noticed) => {
    await noticed(() => {
      renameSync(file, `${file}~`);
      writeFileSync(file, 'b\n');
      rmSync(`${file}~`);
    }, 'vim');
    await noticed(() => execFileSync('sed', ['-i', 's/b/c/', file]), 'sed -i');
    await noticed(() => execFileSync('sed', ['-i', 's/c/d/', file]), 'sed -i once more');
  });
});

test('detects every edit at once after a folder above the file was replaced by one that was moved there', async () => {
  const folder = newFolder();
  const [current, file] = [join(folder, 'checkout'), join(folder, 'checkout', 'gateways', 'edict.yaml')];
  write(file, '0');
  await watching(file, async (heard, hints) => {
    for (const round of [1, 2]) {
      write(join(folder, 'next', 'gateways', 'edict.yaml'), `checkout ${round}`);
      const before = hints();
      renameSync(current, join(folder, `old-${round}`));
      renameSync(join(folder, 'next'), current);
      // The swap itself may be found by polling.
      await eventually(() => hints() > before, 20_000, `swap ${round}`);
      for (const text of ['1', '2', '3']) await heard(() => writeFileSync(file, `${round} ${text}`), `edit ${text} after swap ${round}`);
    }
  });
});

test('detects the ..data swap of a ConfigMap', async () => {
  const folder = newFolder();
  write(join(folder, '..v0', 'edict.yaml'), '0');
  symlinkSync('..v0', join(folder, '..data'));
  symlinkSync(join('..data', 'edict.yaml'), join(folder, 'edict.yaml'));
  await watching(join(folder, 'edict.yaml'), async (noticed) => {
    for (const version of [1, 2, 3]) {
      await noticed(() => {
        write(join(folder, `..v${version}`, 'edict.yaml'), `${version}`);
        swapLink(join(folder, '..data'), `..v${version}`);
        rmSync(join(folder, `..v${version - 1}`), { recursive: true });
      }, `version ${version}`);
    }
  });
});

test("detects the swap of a parent folder's symbolic link, as git-sync makes it", async () => {
  const folder = newFolder();
  write(join(folder, 'worktrees', 'r0', 'deploy', 'edict.yaml'), '0');
  symlinkSync(join('worktrees', 'r0'), join(folder, 'current'));
  await watching(join(folder, 'current', 'deploy', 'edict.yaml'), async (noticed) => {
    for (const revision of [1, 2, 3]) {
      await noticed(() => {
        write(join(folder, 'worktrees', `r${revision}`, 'deploy', 'edict.yaml'), `${revision}`);
        swapLink(join(folder, 'current'), join('worktrees', `r${revision}`));
        rmSync(join(folder, 'worktrees', `r${revision - 1}`), { recursive: true });
      }, `revision ${revision}`);
      await noticed(() => writeFileSync(join(folder, 'worktrees', `r${revision}`, 'deploy', 'edict.yaml'), 'in place'), 'in place');
    }
  });
});

test('detects a change of any link in a chain', async () => {
  const folder = newFolder();
  write(join(folder, 'one', 'a.yaml'), 'a');
  write(join(folder, 'one', 'b.yaml'), 'b');
  write(join(folder, 'two', 'a.yaml'), 'c');
  symlinkSync('a.yaml', join(folder, 'one', 'third'));
  symlinkSync('b.yaml', join(folder, 'two', 'third'));
  write(join(folder, 'two', 'b.yaml'), 'd');
  symlinkSync(join(folder, 'one'), join(folder, 'second'));
  symlinkSync(join('second', 'third'), join(folder, 'edict.yaml'));
  await watching(join(folder, 'edict.yaml'), async (noticed) => {
    await noticed(() => swapLink(join(folder, 'one', 'third'), 'b.yaml'), 'the last link');
    await noticed(() => swapLink(join(folder, 'second'), 'two'), 'the middle link');
    await noticed(() => swapLink(join(folder, 'two', 'third'), 'a.yaml'), 'a link that was not on the way before');
    await noticed(() => swapLink(join(folder, 'edict.yaml'), join('one', 'a.yaml')), 'the first link');
    await noticed(() => writeFileSync(join(folder, 'one', 'a.yaml'), 'e'), 'the file at the end');
  });
});

test('detects a file that is deleted and created again', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, '0');
  await watching(file, async (noticed) => {
    await noticed(() => rmSync(file), 'gone');
    await noticed(() => writeFileSync(file, '1'), 'back');
    await noticed(() => writeFileSync(file, '2'), 'changed');
  });
});

test('detects a file that does not exist yet, and whose folders do not either', async () => {
  const folder = newFolder();
  const file = join(folder, 'a', 'b', 'edict.yaml');
  await watching(file, async (noticed) => {
    await noticed(() => write(file, '0'), 'made');
    await noticed(() => writeFileSync(file, '1'), 'changed');
  });
});

test('detects a folder that is replaced, by rename or by removal', async () => {
  const folder = newFolder();
  const file = join(folder, 'deploy', 'edict.yaml');
  write(file, '0');
  await watching(file, async (noticed) => {
    await noticed(() => {
      write(join(folder, 'next', 'edict.yaml'), '1');
      renameSync(join(folder, 'deploy'), join(folder, 'before'));
      renameSync(join(folder, 'next'), join(folder, 'deploy'));
    }, 'replaced by rename');
    await noticed(() => writeFileSync(file, '2'), 'changed in the new folder');
    await noticed(() => {
      rmSync(join(folder, 'deploy'), { recursive: true });
      write(file, '3');
    }, 'removed and made again');
    await noticed(() => writeFileSync(file, '4'), 'changed in the folder made again');
  });
});

test('detects a directory in place of the file', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, '0');
  await watching(file, async (noticed) => {
    await noticed(() => {
      rmSync(file);
      mkdirSync(file);
    }, 'a directory');
    await noticed(() => {
      rmSync(file, { recursive: true });
      writeFileSync(file, '1');
    }, 'a file again');
  });
});

test('ignores other files, and saves that change nothing', async () => {
  const folder = newFolder();
  const file = join(folder, 'edict.yaml');
  write(file, '0');
  await watching(file, async (noticed, hints) => {
    for (let index = 0; index < 50; index += 1) write(join(folder, `other${index}.yaml`), `${index}`);
    mkdirSync(join(folder, 'edict.yaml.d'));
    write(join(folder, 'edict.yaml~'), 'x');
    writeFileSync(file, '0');
    await noticed(() => writeFileSync(file, '1'), 'the file itself');
    assert.is(hints(), 1);
  });
});

test('after a burst of saves, the last one is detected', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, '0');
  let seen = '';
  const watch = await watchPaths(
    async () => {
      const look = await lookAt(file);
      seen = look.fingerprint;
      return look;
    },
    () => undefined,
  );
  for (let index = 1; index <= 300; index += 1) writeFileSync(file, `${index}`);
  await eventually(() => seen.endsWith(' 300'), soonMs, 'the last save');
  await watch.close();
});

test('a hundred files of a folder that is replaced, or removed and made anew, are each followed on, and leave nothing open', async () => {
  const [folder, before] = [join(newFolder(), 'files'), process.getActiveResourcesInfo().filter((kind) => kind === 'FSEventWrap').length];
  const files = Array.from({ length: 100 }, (_, index) => join(folder, `${index}.yaml`));
  const writeAll = (text: string): void => files.forEach((file) => void write(file, text));
  const seen = new Map<string, string>();
  const takeSnapshot = async (file: string) => {
    const look = await lookAt(file);
    seen.set(file, look.fingerprint);
    return look;
  };
  const allSee = (text: string) => eventually(() => files.every((file) => seen.get(file)?.endsWith(` ${text}`)), soonMs, text);
  writeAll('first');
  const watches = await Promise.all(
    files.map((file) =>
      watchPaths(
        () => takeSnapshot(file),
        () => undefined,
      ),
    ),
  );
  for (const round of [1, 2, 3]) {
    renameSync(folder, `${folder}-${round}`);
    writeAll(`replaced ${round}`);
    await allSee(`replaced ${round}`);
    rmSync(folder, { recursive: true });
    writeAll(`anew ${round}`);
    await allSee(`anew ${round}`);
    writeAll(`edited ${round}`);
    await allSee(`edited ${round}`);
  }
  await Promise.all(watches.map((watch) => watch.close()));
  const isReleased = () => process.getActiveResourcesInfo().filter((kind) => kind === 'FSEventWrap').length <= before;
  await eventually(isReleased, soonMs, 'nothing is open');
});

test('a folder that cannot be watched is polled', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, '0');
  // Makes the library throw.
  process.env['CHOKIDAR_INTERVAL'] = 'none';
  try {
    await watching(file, async (_, hints) => {
      writeFileSync(file, '1');
      await eventually(() => hints() > 0, 20_000, 'polled');
    });
  } finally {
    delete process.env['CHOKIDAR_INTERVAL'];
  }
});

test('does not call back after it was closed, and leaves nothing open', async () => {
  const file = join(newFolder(), 'edict.yaml');
  write(file, '0');
  const open = () => process.getActiveResourcesInfo().filter((kind) => /FSEvent|FSWatch|StatWatcher|Timeout/.test(kind)).length;
  const before = open();
  let hints = 0;
  const watch = await watchPaths(
    () => lookAt(file),
    () => {
      hints += 1;
    },
  );
  assert.ok(open() > before);
  writeFileSync(file, '1');
  await watch.close();
  const atClose = hints;
  writeFileSync(file, '2');
  await sleep(100);
  assert.is(hints, atClose);
  assert.ok(open() <= before, process.getActiveResourcesInfo().join(' '));
});

test.run();
