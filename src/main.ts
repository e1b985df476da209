#!/usr/bin/env node
import module from 'node:module';

// Nothing else is imported before this is known: an older Node.js would fail somewhere in the middle, in words that help nobody.
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 24) {
  process.stderr.write(`edict: needs Node.js 24 or newer, and this is ${process.versions.node}: ${process.execPath}\n`);
  process.exit(1);
}
module.enableCompileCache();
const { runCli } = await import('./cli/program.ts');
process.exitCode = await runCli(process.argv.slice(2), { env: process.env, stdout: process.stdout, stderr: process.stderr });
