import { type Command, Option } from 'commander';
import type { Env } from '../model/env.ts';
import { EdictError } from '../model/errors.ts';
import { endpointIn, formatAllowedHost, type GatewayService, isAllowedHost, serviceOf } from '../model/gateway.ts';
import { type CliContext, colorizersFor } from './context.ts';
import { writeLine } from './output/terminal.ts';

/*
 * The gateway of the commands that write a first file, `import` and `init`: there is none yet that names it.
 */

/** A gateway as given on the command line. */
export interface TypedGateway {
  readonly service?: GatewayService;
  readonly endpoint?: string;
  readonly project?: string;
  readonly instance?: string;
  readonly iam?: string;
}

/** Adds the options that name a gateway to `command`, and returns it. */
export function addGatewayOptions(command: Command): Command {
  return command
    .addOption(new Option('--service <name>', 'the service (default: that of the endpoint, or else roma)').choices(['roma', 'apig']))
    .option('--endpoint <url>', 'the management endpoint (default: that of the region in HW_REGION_NAME)')
    .option('--project <id>', 'the project ID (default: HW_PROJECT_ID)')
    .option('--instance <id>', 'the instance ID (required to read a gateway)')
    .option('--iam <url>', 'the IAM endpoint (default: that of the endpoint’s region)');
}

/** Returns the gateway that options and variables name together, as far as they do. */
export function readTypedGateway(
  options: TypedGateway,
  { HW_REGION_NAME: region, HW_PROJECT_ID: projectId }: Env,
): TypedGateway & { readonly service: GatewayService } {
  const endpoint = options.endpoint ?? (region ? endpointIn(region, options.service ?? 'roma') : undefined);
  const project = options.project ?? (projectId || undefined);
  const { instance, iam } = options;
  return {
    service: options.service ?? serviceOf(endpoint ?? '') ?? 'roma',
    ...(endpoint !== undefined && { endpoint }),
    ...(project !== undefined && { project }),
    ...(instance !== undefined && { instance }),
    ...(iam !== undefined && { iam }),
  };
}

/** Returns the allowed hosts that the endpoints on the command line name: they are the operator's word. Those that are allowed anyway are left out. */
export function typedHosts({ endpoint, iam }: TypedGateway): string[] {
  const origins = [endpoint, iam].flatMap((url) => URL.parse(url ?? '')?.origin ?? []);
  return [...new Set(origins)].filter((origin) => !isAllowedHost(origin, [])).map(formatAllowedHost);
}

/** Returns the error for a gateway of which parts are `undefined`. */
export function missingOptionsError(given: Readonly<Record<string, string | undefined>>): EdictError {
  const absent = Object.keys(given).filter((name) => given[name] === undefined);
  const list = new Intl.ListFormat('en-GB').format(absent.map((name) => `--${name}`));
  return new EdictError('OPTION_INVALID', `the gateway is not fully specified: ${list} ${absent.length === 1 ? 'is' : 'are'} missing`, {
    hint: 'expected --endpoint (or the region in HW_REGION_NAME), --project (or HW_PROJECT_ID) and --instance; the console shows the IDs',
  });
}

/** Writes warnings about a new file to stderr. */
export function writeWarnings(context: CliContext, warnings: readonly string[]): void {
  const paint = colorizersFor(context).err;
  for (const warning of warnings) writeLine(context.stderr, `${paint('yellow', 'edict:')} ${warning}`);
}
