import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import document from '../../generated/roma-connect.json' with { type: 'json' };

/** One operation of the specification as a server needs it. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The path with fastify's `:name` parameters. */
  readonly url: string;
  readonly validBody: ValidateFunction | null;
  /** Whether the header `X-Auth-Token` is required. */
  readonly needsToken: boolean;
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
}

interface WrittenOperation {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: { readonly $ref: string } } } };
}

/** Returns every operation of spec/roma-connect.openapi.yaml with its checks compiled. */
export function operations(): Operation[] {
  // `npm run generate` has held the document to its own rules; loading those again takes most of the time to start.
  const ajv = new Ajv2020({ strict: false, meta: false, validateSchema: false });
  ajv.addSchema({ $id: 'specification', components: document.components });
  const parameters = document.components.parameters as unknown as Readonly<Record<string, Parameter>>;
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as unknown as Record<string, WrittenOperation>).flatMap(([method, operation]) => {
      if (!operation.operationId) return [];
      const resolved = (operation.parameters ?? []).map((given) => parameters[given.$ref?.split('/').at(-1) ?? ''] ?? given);
      const reference = operation.requestBody?.content['application/json'].schema.$ref;
      return {
        id: operation.operationId,
        method: method.toUpperCase() as Operation['method'],
        url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
        validBody: reference ? ajv.compile({ $ref: `specification${reference}` }) : null,
        needsToken: resolved.some((given) => given.in === 'header' && given.required && given.name === 'X-Auth-Token'),
      };
    }),
  );
}
