import { stringify } from 'yaml';
import { endpointIn } from '../../model/gateway.ts';
import { type GatewayArguments, parseGatewayArguments } from './gateway-options.ts';

/** The words that stand for IDs in an example. */
const placeholders = { instance: 'INSTANCE_ID', environment: 'ENVIRONMENT_ID', api: 'API_ID' } as const;

/**
 * Returns a valid edict file with comments, in which the IDs that are not given are placeholders in capital letters, and the project is a variable.
 * Throws an EdictError `OPTION_INVALID` for a gateway that no file may name.
 */
export function exampleFile({ service = 'roma', endpoint, project, instance, iam }: Partial<GatewayArguments>): string {
  const gateway = {
    service,
    endpoint: endpoint ?? endpointIn('cn-north-4', service),
    ...(iam !== undefined && { iam }),
    project: project ?? 'PROJECT_ID',
    instance: instance ?? placeholders.instance,
  };
  parseGatewayArguments(gateway);
  const lines = stringify({ ...gateway, project: project ?? `\${HW_PROJECT_ID}` }, { lineWidth: 0, compat: 'yaml-1.1' }).trimEnd();
  return `# yaml-language-server: $schema=./edict.schema.json
#
# Where the APIs of a gateway are published. Replace what is in capital letters: the console shows the IDs.
# For completion in editors: edict schema > edict.schema.json, beside this file.
edict: 1

# The gateway: service is roma (ROMA Connect) or apig (API Gateway), limit is how fast it is called.
# Credentials come from environment variables, never from this file; \${HW_PROJECT_ID} is one that it may use.
gateway:
${lines.replaceAll(/^/gm, '  ')}
  limit: { calls: 10, per: 1s, concurrency: 4 }

# The environments by short name. In a protected one, nothing goes offline without an approval.
environments:
  release: { id: DEFAULT_ENVIRONMENT_RELEASE_ID, protected: true }
  test: ${placeholders.environment}

# Whether a publication that is removed from this file is taken offline. If false, it stays published.
prune: false

# Where each API is online. To publish an edited API again, add or change its revision: any text, such as a date.
apis:
  orders:
    id: ${placeholders.api}
    environments:
      test: online
      # release: online
`;
}
