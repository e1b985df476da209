import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import document from '../../generated/roma-connect.json' with { type: 'json' };

/** One operation of the specification, prepared for the server. */
export interface OperationSpec {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The path with fastify's `:name` parameters. */
  readonly url: string;
  readonly validBody: ValidateFunction | null;
  /** Validates the query parameters, coerces their types and fills in defaults. */
  readonly validQuery: ValidateFunction;
  /** Whether the header `X-Auth-Token` is required. */
  readonly requiresToken: boolean;
  readonly success: SuccessSpec;
}

/** The success response of an operation. */
export interface SuccessSpec {
  readonly status: number;
  /** The required fields of its body. */
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

let loaded: readonly OperationSpec[] | null = null;

/** Returns all operations of spec/roma-connect.openapi.yaml. Their validators are compiled once in a process: that takes longer than the rest of a start. */
export function loadOperations(): readonly OperationSpec[] {
  loaded ??= compileOperations();
  return loaded;
}

function compileOperations(): OperationSpec[] {
  // `npm run generate` has validated the document already. Loading the meta-schemas again would take most of the startup time.
  const options = { strict: false, meta: false, validateSchema: false } as const;
  const ajv = new Ajv2020(options);
  const queryAjv = new Ajv2020({ ...options, coerceTypes: true, useDefaults: true });
  ajv.addSchema({ $id: 'specification', components: document.components });
  const parameters = document.components.parameters as unknown as Readonly<Record<string, Parameter>>;
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as unknown as Record<string, OperationDocument>).flatMap(([method, operation]) => {
      if (!operation.operationId) return [];
      const resolved = (operation.parameters ?? []).map((parameter) => parameters[parameter.$ref?.split('/').at(-1) ?? ''] ?? parameter);
      const reference = operation.requestBody?.content['application/json'].schema.$ref;
      return {
        id: operation.operationId,
        method: method.toUpperCase() as OperationSpec['method'],
        url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
        validBody: reference ? ajv.compile({ $ref: `specification${reference}` }) : null,
        validQuery: queryAjv.compile(querySchema(resolved)),
        requiresToken: resolved.some((parameter) => parameter.in === 'header' && parameter.required && parameter.name === 'X-Auth-Token'),
        success: successSpec(operation),
      };
    }),
  );
}

function querySchema(parameters: readonly Parameter[]): object {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  return {
    type: 'object',
    required: inQuery.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(inQuery.map(({ name, schema }) => [name, schema])),
  };
}

function successSpec({ responses }: OperationDocument): SuccessSpec {
  const [status = '200', response] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? [];
  const name = response?.content['application/json'].schema.$ref.split('/').at(-1) ?? '';
  const schemas = document.components.schemas as unknown as Readonly<Record<string, { readonly required?: readonly string[] }>>;
  return { status: Number(status), required: schemas[name]?.required ?? [] };
}
