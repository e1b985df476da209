import { execFile } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { promisify } from 'node:util';
import { neutralEnv } from './test-process.ts';

const run = promisify(execFile);

/**
 * Runs a command line in `cwd` as a user with this Node.js and npm would: without the variables of edict, or those of the npm that runs
 * the tests. Resolves to what it wrote to stdout; rejects if it fails.
 */
export async function cleanShell(line: string, cwd: string): Promise<string> {
  const own = Object.entries(neutralEnv(process.env)).filter(([name]) => !/^EDICT_|^npm_config_\w*prefix$/.test(name));
  const env = {
    ...Object.fromEntries(own),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
    NO_COLOR: '1',
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
  return (await run('sh', ['-c', line], { cwd, env })).stdout;
}
