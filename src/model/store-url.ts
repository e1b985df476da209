/** Parameters of an address of PostgreSQL that hold no secret. */
export const nonSecretParameters = [
  'host',
  'port',
  'user',
  'application_name',
  'options',
  'connect_timeout',
  'password_file',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
] as const;

/**
 * Scheme, user, password, place and parameters of an address of PostgreSQL. An @ is allowed only before the host, and a # nowhere: a URL
 * parser takes a piece of an unencoded password with either for a port, a database or a parameter, which errors of pg then show. For the
 * same reason a user has no encoded colon, and a place no encoded @.
 */
const unambiguous =
  /^(postgres(?:ql)?:\/\/)(?:((?:[^\s:/?#@%]|%(?!3a))*)(:[^\s/?#]*)?@)?((?:%2f(?:[\w.-]|%2f|%3a)*|\[[\da-f:.]+\]|[\w.-]*)(?::\d+)?(?:\/(?:[^\s?#@%]|%(?!40))*)?)(?:\?([^\s#@]*))?$/i;

/** Returns whether this is an address of PostgreSQL in which a URL parser cannot take a piece of a password for something else. */
export function isPostgresUrl(address: string): boolean {
  return /^postgres/.test(address) && unambiguous.test(address);
}

/** Returns the address of a store without its password. Of an address that is ambiguous only the scheme is shown. */
export function redactUrl(address: string): string {
  if (address.startsWith('sqlite:') || /^[\w./~-]*$/.test(address)) return address;
  const [, scheme, user, password, place, parameters] = (isPostgresUrl(address) && unambiguous.exec(address)) || [];
  if (scheme === undefined) return `${/^[a-z]+:\/\//.exec(address)?.[0] ?? ''}***`;
  const userInfo = user === undefined ? '' : `${user}${password === undefined ? '' : ':***'}@`;
  return `${scheme}${userInfo}${place}${parameters === undefined ? '' : `?${parameters.split('&').map(shownParameter).join('&')}`}`;
}

function shownParameter(parameter: string): string {
  const [name = ''] = parameter.split('=', 1);
  if (nonSecretParameters.some((plain) => plain === name)) return parameter;
  return name === 'password' ? 'password=***' : '***';
}
