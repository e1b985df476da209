#!/usr/bin/env node
import module from 'node:module';

/*
 * The entry point: checks the Node.js version, then hands the command line to cli/program.ts. It must not import anything of edict
 * statically: an older Node.js would fail with an unhelpful syntax error before the version is checked.
 */
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 24) {
  process.stderr.write(`edict: needs Node.js 24 or newer, and this is ${process.versions.node}: ${process.execPath}\n`);
  process.exit(1);
}
// The report that Node.js writes of a crash, if asked to, has all variables otherwise.
process.report.excludeEnv = true;
module.enableCompileCache();
const { runCli } = await import('./cli/program.ts');
const { env, stdin, stdout, stderr } = process;
process.exitCode = await runCli(process.argv.slice(2), { env, stdin, stdout, stderr });

/** How long the process may live after its last output, in milliseconds. */
const endTimeLimitMs = 5000;

// A read of a file system that hangs keeps the process alive, and even process.exit() would wait for it.
setInterval(() => {
  if (process.stdout.writableLength === 0) process.kill(process.pid, 'SIGKILL');
}, endTimeLimitMs).unref();
