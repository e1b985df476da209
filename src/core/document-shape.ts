/** What is wrong with a value of a JSON document, and where. */
export class ShapeError extends Error {}

/** Throws a ShapeError if `value`, which stands at `at`, is not what it is to be. */
export type Shape = (value: unknown, at: string) => void;

/** Any text. */
export const text: Shape = (value, at) => expect(typeof value === 'string', value, at, 'a text');

/** `true` or `false`. */
export const flag: Shape = (value, at) => expect(typeof value === 'boolean', value, at, 'true or false');

/** A whole number from 0 on. */
export const whole: Shape = (value, at) => expect(Number.isSafeInteger(value) && Number(value) >= 0, value, at, 'a whole number');

/** Returns the shape of one of these texts. */
export function oneOf(...texts: readonly string[]): Shape {
  return (value, at) => expect(texts.includes(value as string), value, at, texts.join(' or '));
}

/** Returns the shape of `null` or what `shape` takes. */
export function orNull(shape: Shape): Shape {
  return (value, at) => {
    if (value !== null) shape(value, at);
  };
}

/** Returns the shape of a list of what `shape` takes. */
export function listOf(shape: Shape): Shape {
  return (value, at) => {
    expect(Array.isArray(value), value, at, 'a list');
    for (const [index, item] of (value as unknown[]).entries()) shape(item, `${at}[${index}]`);
  };
}

/** Returns the shape of an object with exactly these keys. */
export function record(shapes: Readonly<Record<string, Shape>>): Shape {
  const names = Object.keys(shapes);
  return (value, at) => {
    expect(typeof value === 'object' && value !== null && !Array.isArray(value), value, at, 'an object');
    const object = value as Readonly<Record<string, unknown>>;
    const where = at === '' ? 'it' : at;
    for (const name of Object.keys(object)) if (!names.includes(name)) throw new ShapeError(`${where} has an unknown key ${shown(name)}`);
    for (const [name, shape] of Object.entries(shapes)) {
      if (!Object.hasOwn(object, name)) throw new ShapeError(`${where} has no ${shown(name)}`);
      shape(object[name], at === '' ? name : `${at}.${name}`);
    }
  };
}

function expect(isSo: boolean, value: unknown, at: string, what: string): void {
  if (isSo) return;
  const found = typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'a list' : 'an object') : shown(value);
  throw new ShapeError(`${at === '' ? 'it' : at} is ${found}; expected ${what}`);
}

const mostShown = 60;

/** A long text tells no more than its beginning. */
function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > mostShown ? `${json.slice(0, mostShown)}…` : json;
}
