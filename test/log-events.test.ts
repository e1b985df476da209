import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import ts from 'typescript';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { logEvents } from '../src/telemetry/log.ts';
import { everyEvent } from './support/every-event.ts';
import { nodesOf, sourceFiles } from './support/source-files.ts';

const test = suite('log events');
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const levels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

/** The fields logged under one message. */
interface Row {
  readonly event: string;
  readonly message: string;
  readonly levels: ReadonlySet<string>;
  readonly fields: ReadonlySet<string>;
}

/** Returns the rows for the events of the controller. */
function rowsOfEvents(): Row[] {
  const rows = new Map<string, { event: string; message: string; levels: Set<string>; fields: Set<string> }>();
  const write = (line: Buffer, _encoding: unknown, done: () => void): void => {
    const { level, event, msg, ...fields } = JSON.parse(String(line)) as Readonly<Record<string, unknown>>;
    const key = `${event} ${msg}`;
    const row = rows.get(key) ?? { event: String(event), message: String(msg), levels: new Set(), fields: new Set() };
    row.levels.add(levels[Number(level)] ?? '');
    for (const field of Object.keys(fields)) row.fields.add(field);
    rows.set(key, row);
    done();
  };
  const emit = logEvents(pino({ level: 'debug', base: null, timestamp: false }, new Writable({ write })));
  for (const event of Object.values(everyEvent).flat()) emit(event);
  return [...rows.values()];
}

/** Returns the rows for what a command logs itself, from its calls of `log(event, message, fields)`. */
function rowsOfNotes(): Row[] {
  return sourceFiles('src/cli')
    .flatMap((file) => nodesOf(file, ts.isCallExpression))
    .filter(({ expression }) => ts.isIdentifier(expression) && expression.text === 'log')
    .map(({ arguments: [event, message, fields] }) => ({
      event: event && ts.isStringLiteral(event) ? event.text : '',
      message: message ? textOf(message) : '',
      levels: new Set(['info']),
      fields: new Set(fields ? keysIn(fields) : []),
    }));
}

/** Returns a message as in the source, with `…` for the variable parts. */
function textOf(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  return '';
}

/** Returns the keys of every object literal in a piece of source. */
function keysIn(node: ts.Node): string[] {
  const keys: string[] = [];
  const visit = (at: ts.Node): void => {
    if ((ts.isPropertyAssignment(at) || ts.isShorthandPropertyAssignment(at)) && ts.isIdentifier(at.name)) keys.push(at.name.text);
    ts.forEachChild(at, visit);
  };
  visit(node);
  return keys;
}

const rows = [...rowsOfNotes(), ...rowsOfEvents()];

test('the table in the README lists every log event', () => {
  const lines = rows.map(({ event, message, levels, fields }) => {
    return `| \`${event}\` | ${[...levels].join(', ')} | ${message} | ${[...fields].map((field) => `\`${field}\``).join(', ')} |`;
  });
  const table = `| event | level | message | fields |\n|---|---|---|---|\n${lines.join('\n')}\n\n`;
  assert.ok(readme.includes(table), table);
});

test('every message in the source is in the table', () => {
  const source = sourceFiles('src/telemetry').find(({ path }) => path === 'src/telemetry/log-messages.ts');
  assert.ok(source);
  const messages = nodesOf(source, ts.isPropertyAssignment)
    .filter(({ name, parent }) => name.getText() === 'message' && parent.properties.some((other) => other.name?.getText() === 'level'))
    .map(({ initializer }) => textOf(initializer));
  assert.ok(messages.length > 20);
  assert.equal(
    messages.filter((message) => !rows.some((row) => row.message === message)),
    [],
  );
});

test('every field in the source is in the table', () => {
  const source = sourceFiles('src/telemetry').find(({ path }) => path === 'src/telemetry/log-messages.ts');
  assert.ok(source);
  const writes = nodesOf(source, ts.isFunctionDeclaration).filter(({ name }) => ['fieldsFor', 'changeFields'].includes(name?.text ?? ''));
  assert.is(writes.length, 2);
  const known = new Set(rows.flatMap(({ fields }) => [...fields]));
  assert.equal(
    writes.flatMap(keysIn).filter((field) => !known.has(field)),
    [],
  );
});

test('event names have the form noun:verb', () => {
  for (const { event } of rows) assert.match(event, /^[a-z]+:[a-z]+(?:_[a-z]+)?$/);
});

test.run();
