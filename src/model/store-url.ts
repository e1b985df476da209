/** Parameters of a PostgreSQL URL that contain no secret. */
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
 * Matches scheme, user, password, location and parameters of a PostgreSQL URL. An @ is allowed only before the host, and a #
 * nowhere: with either in an unencoded password, a URL parser takes part of the password for a port, a database or a
 * parameter, which pg then shows in its errors. For the same reason a user may have no encoded colon, and a location no
 * encoded @.
 */
const unambiguousUrl =
  /^(postgres(?:ql)?:\/\/)(?:((?:[^\s:/?#@%]|%(?!3a))*)(:[^\s/?#]*)?@)?((?:%2f(?:[\w.-]|%2f|%3a)*|\[[\da-f:.]+\]|[\w.-]*)(?::\d+)?(?:\/(?:[^\s?#@%]|%(?!40))*)?)(?:\?([^\s#@]*))?$/i;

/** Returns whether this is a PostgreSQL URL in which a URL parser cannot mistake part of a password for something else. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres/.test(url) && unambiguousUrl.test(url);
}

/** Returns a store's URL without its password. For an ambiguous URL, only the scheme is shown. */
export function redactUrl(url: string): string {
  if (url.startsWith('sqlite:') || /^[\w./~-]*$/.test(url)) return url;
  const [, scheme, user, password, location, parameters] = (isPostgresUrl(url) && unambiguousUrl.exec(url)) || [];
  if (scheme === undefined) return `${/^[a-z]+:\/\//.exec(url)?.[0] ?? ''}***`;
  const userInfo = user === undefined ? '' : `${user}${password === undefined ? '' : ':***'}@`;
  return `${scheme}${userInfo}${location}${parameters === undefined ? '' : `?${parameters.split('&').map(redactParameter).join('&')}`}`;
}

function redactParameter(parameter: string): string {
  const [name = ''] = parameter.split('=', 1);
  if (nonSecretParameters.some((nonSecret) => nonSecret === name)) return parameter;
  return name === 'password' ? 'password=***' : '***';
}
