import { EdictError } from '../../model/errors.ts';
import type { GatewaySettings } from '../../model/publication.ts';
import { checkSchema } from '../checks/schema.ts';
import { checkSemantics } from '../checks/semantics.ts';
import { type GatewayBlock, parseGateway } from '../parser.ts';
import type { PathDiagnostic } from '../path-diagnostic.ts';

/** A gateway that somebody names on the command line, where there is no file yet. */
export type GatewayArguments = Pick<GatewayBlock, 'endpoint' | 'project' | 'instance' | 'iam'>;

/**
 * Returns the settings of a gateway block that says `asked` and nothing else. Throws an EdictError `OPTION_INVALID` that names the
 * option for what such a block must not say.
 */
export function parseGatewayArguments(asked: GatewayArguments): GatewaySettings {
  // What would be taken for a variable in a file means nothing on the command line, where the shell has had its turn.
  const variable = Object.entries(asked).find(([, text]) => text?.includes('${'));
  if (variable)
    throw new EdictError('OPTION_INVALID', `--${variable[0]} ${JSON.stringify(variable[1])} holds \${…}, which only a file may`);
  const file = { edict: 1, gateway: asked, environments: { some: 'some' }, apis: {} };
  const [finding] = [...checkSchema(file, 'File'), ...checkSemantics(file, () => '')];
  if (finding) throw toOptionError(finding);
  return parseGateway(asked);
}

function toOptionError({ path, message, hint }: PathDiagnostic): EdictError {
  const shown = message.replace(/\/\/[^/]*@/, '//***@'); // somebody may have written a password there
  const inWords = shown.replace(/`gateway\.(\w+)`/, '`--$1`');
  return new EdictError('OPTION_INVALID', inWords === shown ? `--${path.at(-1)}: ${shown}` : inWords, hint === null ? {} : { hint });
}
