/**
 * Writes `generated/` from `spec/`, `src/ui/` and the tables in the source, or with `--check` says which of its files are out of date (exit code 1).
 *
 * Everything here runs when the repository is built on, never when edict runs: start-up pays for no schema compiling.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import typescript from 'typescript';
import { parse } from 'yaml';
import { type ErrorCodeTables, gatewayErrorsPage } from './gateway-errors-page.ts';
import { storeQueries } from './store-queries.ts';

type Json = { readonly [key: string]: unknown };

const root = new URL('../', import.meta.url);
const banner = '// Made by `npm run generate` from spec/. Do not edit.\n';
const pageBanner = '// Made by `npm run generate` from src/ui/. Do not edit.\n';

const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** Returns the schemas of every JSON answer, as `operationId_status`, from an OpenAPI document with local references. */
function answerSchemas(document: Json, documentId: string): Record<string, Json> {
  const deref = (value: unknown): Json => {
    const reference = (value as Json)['$ref'];
    if (typeof reference !== 'string') return value as Json;
    return reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => (at as Json)[key], document) as Json;
  };
  const schemas: Record<string, Json> = {};
  for (const item of Object.values(document['paths'] as Json)) {
    for (const operation of Object.values(item as Json) as Json[]) {
      if (typeof operation['operationId'] !== 'string') continue;
      for (const [status, answer] of Object.entries(operation['responses'] as Json)) {
        const schema = (deref(answer)['content'] as { 'application/json'?: { schema: { $ref: string } } } | undefined)?.['application/json']
          ?.schema;
        if (schema) schemas[`${operation['operationId']}_${status}`] = { $ref: `${documentId}${schema.$ref}` };
      }
    }
  }
  return schemas;
}

/**
 * Returns the TypeScript types of an OpenAPI document, from openapi-typescript's command: its library's own types do not
 * check. It runs in another folder, since it would hold the file's schema to the rules of redocly.yaml.
 */
function typesOf(document: string, ...options: readonly string[]): string {
  const command = fileURLToPath(new URL('node_modules/openapi-typescript/bin/cli.js', root));
  return execFileSync(process.execPath, [command, '--alphabetize', ...options], {
    input: document,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: tmpdir(),
  });
}

/** Returns what a browser runs of a TypeScript source. */
function scriptOf(source: string): string {
  const { target, module } = { target: typescript.ScriptTarget.ES2022, module: typescript.ModuleKind.ESNext };
  const compilerOptions = { target, module, verbatimModuleSyntax: true, rewriteRelativeImportExtensions: true };
  return typescript.transpileModule(source, { compilerOptions }).outputText;
}

/** Returns the TypeScript types of all that a JSON Schema defines. */
function typesOfSchema(schema: Json, ...options: readonly string[]): string {
  const defs = JSON.parse(JSON.stringify(schema['$defs']).replaceAll('#/$defs/', '#/components/schemas/')) as Json;
  const asOpenapi = { openapi: '3.1.0', info: { title: '', version: '' }, paths: {}, components: { schemas: defs } };
  return typesOf(JSON.stringify(asOpenapi), ...options);
}

/** Returns an OpenAPI document in which everything that it takes from the plan's schema stands among its own schemas. */
function withPlan(document: Json): Json {
  const plan = JSON.parse(read('spec/plan.schema.json').replaceAll('#/$defs/', '#/components/schemas/')) as Json;
  const own = JSON.parse(JSON.stringify(document).replaceAll('plan.schema.json#/$defs/', '#/components/schemas/Plan.')) as Json;
  const prefixed = JSON.parse(JSON.stringify(plan['$defs']).replaceAll('#/components/schemas/', '#/components/schemas/Plan.')) as Json;
  const schemas = Object.fromEntries(Object.entries(prefixed).map(([name, schema]) => [`Plan.${name}`, schema]));
  const components = own['components'] as Json;
  return { ...own, components: { ...components, schemas: { ...(components['schemas'] as Json), ...schemas } } };
}

/** Returns a schema in which everything that it takes from the plan's schema stands among its own definitions. */
function withPlanDefinitions(schema: Json): Json {
  const plan = (JSON.parse(read('spec/plan.schema.json')) as Json)['$defs'] as Json;
  const own = schema['$defs'] as Json;
  const taken = new Map<string, unknown>();
  const take = (value: unknown, pattern: RegExp): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(pattern)) {
      if (taken.has(name)) continue;
      if (name in own) throw new TypeError(`${schema['$id']} and the plan's schema both define ${name}`);
      taken.set(name, plan[name]);
      take(plan[name], /"#\/\$defs\/(\w+)"/g);
    }
  };
  take(schema, /"urn:edict:plan:1#\/\$defs\/(\w+)"/g);
  const local = JSON.parse(JSON.stringify(schema).replaceAll('urn:edict:plan:1#/$defs/', '#/$defs/')) as Json;
  return { ...local, $defs: { ...(local['$defs'] as Json), ...Object.fromEntries(taken) } };
}

/** Returns the source of an object of queries, a line each. */
function inLines(queries: ReturnType<typeof storeQueries>): string {
  const lines = Object.entries(queries).map(
    ([name, { sql, parameters }]) => `  ${name}: { sql: ${JSON.stringify(sql)}, parameters: ${JSON.stringify(parameters)} },\n`,
  );
  return `{\n${lines.join('')}}`;
}

/** Returns the types of queries, each with the names of its parameters. */
function queryTypes(queries: ReturnType<typeof storeQueries>): string {
  const lines = Object.entries(queries).map(([name, { parameters }]) => {
    const names = [...new Set(parameters)].map((parameter) => `'${parameter}'`);
    return `  readonly ${name}: Query<${names.join(' | ') || 'never'}>;\n`;
  });
  const query = 'export interface Query<P extends string> {\n  readonly sql: string;\n  readonly parameters: readonly P[];\n}\n';
  return `${query}export interface StoreQueries {\n${lines.join('')}}\n`;
}

function validatorOptions(options: object) {
  return { strict: true, allErrors: true, code: { source: true, optimize: 2 }, ...options } as const;
}

/** Adds a module of validators, each under the name that it has in `names`, and its types. */
function addValidators(files: Map<string, string>, name: string, ajv: Ajv2020, names: Readonly<Record<string, string>>): void {
  files.set(`${name}.cjs`, banner + standaloneCode.default(ajv, names));
  const declared = Object.keys(names).map((validator) => `export declare const ${validator}: ValidateFunction;\n`);
  files.set(`${name}.d.cts`, `${banner}import type { ValidateFunction } from 'ajv';\n${declared.join('')}`);
}

function contents(): Map<string, string> {
  const files = new Map<string, string>();

  const text = read('spec/roma-connect.openapi.yaml');
  const openapi = parse(text) as Json;
  files.set('roma-connect.d.ts', banner + typesOf(text));
  files.set('roma-connect.json', `${JSON.stringify(openapi, null, 1)}\n`);

  const documentId = 'urn:edict:roma-connect';
  const answers = answerSchemas(openapi, documentId);
  // Only the first error: a page of 16 MB could have millions, and their list would be copied for each entry.
  const answersAjv = new Ajv2020(validatorOptions({ strictRequired: false, allErrors: false }));
  answersAjv.addVocabulary(['components']);
  answersAjv.addSchema({ $id: documentId, components: openapi['components'] }, documentId, false, false);
  for (const [key, schema] of Object.entries(answers)) answersAjv.addSchema(schema, key);
  const names = Object.fromEntries(Object.keys(answers).map((key) => [key, key]));
  addValidators(files, 'roma-connect-answers', answersAjv, names);

  const api = JSON.stringify(withPlan(parse(read('spec/edict-api.openapi.yaml')) as Json), null, 1);
  files.set('edict-api.d.ts', banner + typesOf(api, '--immutable'));
  files.set('edict-api.json', `${api}\n`);

  const file = JSON.parse(read('spec/edict.schema.json')) as Json;
  files.set('edict-file.d.ts', banner + typesOfSchema(file));
  for (const name of ['plan', 'apply', 'notification']) {
    const schema = withPlanDefinitions(JSON.parse(read(`spec/${name}.schema.json`)) as Json);
    files.set(`edict-${name}.d.ts`, banner + typesOfSchema(schema, '--immutable'));
    if (name !== 'plan') files.set(`edict-${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  const fileAjv = new Ajv2020(validatorOptions({ verbose: true }));
  fileAjv.addSchema(file, 'edict-file');
  // An API has a validator of its own: one for all of them would collect every error of a file, and copy the list for each API.
  for (const name of ['Included', 'Api', 'Name']) fileAjv.addSchema({ $ref: `${file['$id']}#/$defs/${name}` }, name);
  const fileValidators = { validateFile: 'edict-file', validateIncluded: 'Included', validateApi: 'Api', validateName: 'Name' };
  addValidators(files, 'edict-file-validator', fileAjv, fileValidators);
  for (const [name, validator] of [
    ['saved-plan', 'validateSavedPlan'],
    ['emulator-seed', 'validateSeed'],
  ] as const) {
    // Only the first error: a forged plan of 256 MB could have millions.
    const ajv = new Ajv2020(validatorOptions({ verbose: true, allErrors: false }));
    ajv.addSchema(JSON.parse(read('spec/plan.schema.json')) as Json);
    ajv.addSchema(JSON.parse(read(`spec/${name}.schema.json`)) as Json, name);
    addValidators(files, `${name}-validator`, ajv, { [validator]: name });
  }
  const included = {
    $id: 'urn:edict:included:1',
    title: 'edict included file',
    description: 'APIs of an edict file.',
    $ref: '#/$defs/Included',
  };
  const engines = ['sqlite', 'postgres'] as const;
  const declared = engines.map((engine) => `export declare const ${engine}: StoreQueries;\n`);
  files.set('store-queries.js', banner + engines.map((engine) => `export const ${engine} = ${inLines(storeQueries(engine))};\n`).join(''));
  files.set('store-queries.d.ts', banner + queryTypes(storeQueries('sqlite')) + declared.join(''));
  for (const name of readdirSync(new URL('src/ui/', root)).filter((path) => path.endsWith('.ts'))) {
    files.set(
      `ui/${name.replace(/ts$/, 'js')}`,
      pageBanner + scriptOf(read(`src/ui/${name}`)).replace('"../model/visible.js"', '"./visible.js"'),
    );
  }
  // The one file that the page shares with the daemon.
  files.set('ui/visible.js', pageBanner.replace('src/ui/', 'src/model/visible.ts') + scriptOf(read('src/model/visible.ts')));
  files.set('reference/gateway-errors.md', gatewayErrorsPage(parse(read('spec/gateway-error-codes.yaml')) as ErrorCodeTables));
  files.set('edict-included.schema.json', `${JSON.stringify({ ...file, ...included }, null, 2)}\n`);
  return files;
}

const check = process.argv.includes('--check');
const stale: string[] = [];
if (!check) for (const folder of ['ui', 'reference']) mkdirSync(new URL(`generated/${folder}/`, root), { recursive: true });
for (const [name, content] of contents()) {
  const path = new URL(`generated/${name}`, root);
  if (!check) writeFileSync(path, content);
  else if (!existsSync(path) || read(`generated/${name}`) !== content) stale.push(`generated/${name}`);
}
if (stale.length > 0) {
  process.stderr.write(`Out of date: ${stale.join(', ')}. Run \`npm run generate\` and commit what it writes.\n`);
  process.exitCode = 1;
}
