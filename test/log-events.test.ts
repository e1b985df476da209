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
  const emit = logEvents(pino({ level: 'debug', base: null, timestamp: false }, new Writable({ write })), {
    approveCommand: () => 'edict approve',
  });
  for (const event of Object.values(everyEvent).flat()) emit(event);
  return [...rows.values()];
}

const calls = sourceFiles('src').flatMap((file) => nodesOf(file, ts.isCallExpression));

/** Returns the name of the method or function that is called. */
function calledName({ expression }: ts.CallExpression): string {
  return (ts.isPropertyAccessExpression(expression) ? expression.name : expression).getText();
}

/** Returns the rows for what is logged beside the events of the controller with `log(event, message, fields)`. */
function rowsOfNotes(): Row[] {
  return calls
    .filter((call) => calledName(call) === 'log' && call.arguments.length === 3)
    .map(({ arguments: [event, message, fields] }) => ({
      event: event && ts.isStringLiteral(event) ? event.text : '',
      message: message ? textOf(message) : '',
      levels: new Set(['info']),
      fields: new Set(fields ? keysIn(fields) : []),
    }));
}

/** The calls of pino itself, `logger.warn({ event, … }, message)`. */
const loggerCalls = calls.filter((call) => Object.values(levels).includes(calledName(call)));

/** Returns the rows for the calls of pino with a constant event. */
function rowsOfLoggerCalls(): Row[] {
  return loggerCalls.flatMap((call) => {
    const [fields, message] = call.arguments;
    const event = fields && constantEvent(fields);
    if (!event) return [];
    return {
      event,
      message: message ? textOf(message) : '',
      levels: new Set([calledName(call)]),
      fields: new Set(keysIn(fields).filter((key) => key !== 'event')),
    };
  });
}

function constantEvent(fields: ts.Expression): string | null {
  const event = ts.isObjectLiteralExpression(fields) ? fields.properties.find(({ name }) => name?.getText() === 'event') : undefined;
  return event && ts.isPropertyAssignment(event) && ts.isStringLiteral(event.initializer) ? event.initializer.text : null;
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

const rows = [...rowsOfNotes(), ...rowsOfLoggerCalls(), ...rowsOfEvents()];

test('the table in the README lists every log event', () => {
  const lines = rows.map(({ event, message, levels, fields }) => {
    return `| \`${event}\` | ${[...levels].join(', ')} | ${message} | ${[...fields].map((field) => `\`${field}\``).join(', ')} |`;
  });
  const table = `| event | level | message | fields |\n|---|---|---|---|\n${lines.join('\n')}\n\n`;
  assert.ok(readme.includes(table), table);
});

test('a logger is called with a constant event, but for the ones that log all events and all notes', () => {
  const computed = [
    ...loggerCalls.filter(({ arguments: [fields] }) => !fields || constantEvent(fields) === null),
    ...calls.filter(({ expression }) => ts.isElementAccessExpression(expression) && expression.argumentExpression.getText() === 'level'),
  ];
  assert.equal(
    computed.map((call) => call.getText()),
    [
      'logger.info({ event, ...fields }, message)',
      'log[level]({ event: event.type, ...completeHints(fieldsFor(event, options), complete), ...(skipped > 0 && { skipped }) }, message)',
    ],
  );
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
