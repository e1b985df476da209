import { readFileSync } from 'node:fs';

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly schema: Json }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: { readonly $ref: string } } } };
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

/** The schemas with which fastify validates a request. */
export interface RequestSchema {
  readonly querystring?: Json;
  readonly body?: Json;
}

/** Returns the OpenAPI document of the HTTP API as JSON. */
export function readApiDocument(): string {
  return readFileSync(new URL('../../generated/edict-api.json', import.meta.url), 'utf8');
}

/** Returns a lookup of request schemas in the OpenAPI document `text`, by method and path. */
export function requestSchemas(text: string): (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string) => RequestSchema {
  const { paths, components } = JSON.parse(text) as Document;
  return (method, path) => {
    const operation = paths[path]?.[method.toLowerCase()];
    if (!operation) throw new TypeError(`the interface has no ${method} ${path}`);
    const { parameters, requestBody } = operation;
    const properties = Object.fromEntries((parameters ?? []).map(({ name, schema }) => [name, schema]));
    const name = requestBody?.content['application/json'].schema.$ref.split('/').at(-1);
    const body = name === undefined ? undefined : components.schemas[name];
    return {
      ...(parameters && { querystring: { type: 'object', additionalProperties: false, properties } }),
      ...(body && { body }),
    };
  };
}
