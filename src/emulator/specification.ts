import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import document from '../../generated/roma-connect.json' with { type: 'json' };

/** One operation of the specification as a server needs it. */
export interface OperationSpec {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The path with fastify's `:name` parameters. */
  readonly url: string;
  readonly validBody: ValidateFunction | null;
  /** Checks the query's parameters, turns their texts into what they mean and fills in what is left out. */
  readonly validQuery: ValidateFunction;
  /** Whether the header `X-Auth-Token` is required. */
  readonly requiresToken: boolean;
  readonly success: SuccessSpec;
}

/** The answer of an operation that has worked. */
export interface SuccessSpec {
  readonly status: number;
  /** The fields that its body must have. */
  readonly required: readonly string[];
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: object;
}

interface BodyDocument {
  readonly content: { readonly 'application/json': { readonly schema: { readonly $ref: string } } };
}

interface OperationDocument {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: BodyDocument;
  readonly responses: Readonly<Record<string, BodyDocument>>;
}

/** Returns every operation of spec/roma-connect.openapi.yaml with its checks compiled. */
export function loadOperations(): OperationSpec[] {
  // `npm run generate` has held the document to its own rules; loading those again takes most of the time to start.
  const options = { strict: false, meta: false, validateSchema: false } as const;
  const ajv = new Ajv2020(options);
  const queryAjv = new Ajv2020({ ...options, coerceTypes: true, useDefaults: true });
  ajv.addSchema({ $id: 'specification', components: document.components });
  const parameters = document.components.parameters as unknown as Readonly<Record<string, Parameter>>;
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as unknown as Record<string, OperationDocument>).flatMap(([method, operation]) => {
      if (!operation.operationId) return [];
      const resolved = (operation.parameters ?? []).map((given) => parameters[given.$ref?.split('/').at(-1) ?? ''] ?? given);
      const reference = operation.requestBody?.content['application/json'].schema.$ref;
      return {
        id: operation.operationId,
        method: method.toUpperCase() as OperationSpec['method'],
        url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
        validBody: reference ? ajv.compile({ $ref: `specification${reference}` }) : null,
        validQuery: queryAjv.compile(querySchema(resolved)),
        requiresToken: resolved.some((given) => given.in === 'header' && given.required && given.name === 'X-Auth-Token'),
        success: successSpec(operation),
      };
    }),
  );
}

function querySchema(parameters: readonly Parameter[]): object {
  const inQuery = parameters.filter((given) => given.in === 'query');
  return {
    type: 'object',
    required: inQuery.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(inQuery.map(({ name, schema }) => [name, schema])),
  };
}

function successSpec({ responses }: OperationDocument): SuccessSpec {
  const [status = '200', response] = Object.entries(responses).find(([written]) => written.startsWith('2')) ?? [];
  const name = response?.content['application/json'].schema.$ref.split('/').at(-1) ?? '';
  const schemas = document.components.schemas as unknown as Readonly<Record<string, { readonly required?: readonly string[] }>>;
  return { status: Number(status), required: schemas[name]?.required ?? [] };
}
