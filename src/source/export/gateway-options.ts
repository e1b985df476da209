import { EdictError } from '../../model/errors.ts';
import type { GatewaySettings } from '../../model/gateway.ts';
import { checkSchema } from '../checks/schema.ts';
import { checkSemantics } from '../checks/semantics.ts';
import { type GatewayBlock, parseGateway } from '../parser.ts';
import type { PathDiagnostic } from '../path-diagnostic.ts';

/** A gateway given on the command line, before there is a file. */
export type GatewayArguments = Pick<GatewayBlock, 'service' | 'endpoint' | 'project' | 'instance' | 'iam'>;

/**
 * Returns the settings of a gateway given by command line options. Throws an EdictError `OPTION_INVALID` that names the option
 * with an invalid value.
 */
export function parseGatewayArguments(options: GatewayArguments): GatewaySettings {
  // Variables are substituted only in files; on the command line, the shell does that.
  const variable = Object.entries(options).find(([, text]) => text?.includes('${'));
  if (variable)
    throw new EdictError(
      'OPTION_INVALID',
      `--${variable[0]} ${JSON.stringify(variable[1])} contains \${…}, which is allowed only in a file`,
    );
  const file = { edict: 1, gateway: options, environments: { some: 'some' }, apis: {} };
  const [diagnostic] = [...checkSchema(file, 'File'), ...checkSemantics(file, () => '')];
  if (diagnostic) throw toOptionError(diagnostic);
  return parseGateway(options);
}

function toOptionError({ path, message, hint }: PathDiagnostic): EdictError {
  const shown = message.replace(/\/\/[^/]*@/, '//***@'); // the URL may contain a password
  const withOptionName = shown.replace(/`gateway\.(\w+)`/, '`--$1`');
  return new EdictError(
    'OPTION_INVALID',
    withOptionName === shown ? `--${path.at(-1)}: ${shown}` : withOptionName,
    hint === null ? {} : { hint },
  );
}
