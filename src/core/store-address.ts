/** What an address of PostgreSQL may say behind its `?` that is no secret. */
export const plainParameters = [
  'host',
  'port',
  'user',
  'application_name',
  'options',
  'password_file',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
] as const;

/**
 * An address of PostgreSQL without a doubt where its password is: scheme, user, password, place, parameters. An @ stands right before the
 * host and nowhere else, and a # nowhere: with one, what looks like a port or a database may be a piece of a password. So may what stands
 * behind a colon in a user, written %3A.
 */
const withoutDoubt =
  /^(postgres(?:ql)?:\/\/)(?:((?:[^\s:/?#@%]|%(?!3[aA])[\da-fA-F]{2})*|(?:[^\s:/?#@%]|%[\da-fA-F]{2})*(?=:))(:[^\s/?#]*)?@)?((?:%2[fF](?:[\w.-]|%2[fF]|%3[aA])*|\[[\da-fA-F:.]+\]|[\w.-]*)(?::\d+)?(?:\/(?:[^\s?#@%]|%(?!40))*)?)(?:\?([^\s#@]*))?$/;

/** Returns whether this is an address of PostgreSQL that leaves no doubt what is what in it. */
export function isPostgresAddress(address: string): boolean {
  return withoutDoubt.test(address) && URL.canParse(address) && isDecodable(address);
}

/** Returns how to write what was given for an address of PostgreSQL and is none, as far as that can be told; `null` if it cannot. */
export function howToWrite(address: string): string | null {
  if (/^postgres(?:ql)?:\/\/[^\s:/?#@]*@(?:[/?]|$)/.test(address)) {
    return 'without a host, the user stands behind the ?: postgres:///DATABASE?host=/var/run/postgresql&user=USER';
  }
  if (/^postgres(?:ql)?:\/\/[^\s?#]*\?[^\s#]*@/.test(address)) {
    return 'an @ behind the ?, as in a path, is written %40; in a password each of : / ? # @ % is written %3A %2F %3F %23 %40 %25';
  }
  return null;
}

/** Returns the address of a store, or what was given for one, without its password: of what leaves a doubt only what cannot be a piece of one. */
export function shownAddress(address: string): string {
  if (address.startsWith('sqlite:')) return address;
  const [, scheme, user, password, place, parameters] = withoutDoubt.exec(address) ?? [];
  if (scheme === undefined) return shownInDoubt(address);
  const who = user === undefined ? '' : `${/%3a/i.test(user) ? '***' : user}${password === undefined ? '' : ':***'}@`;
  return `${scheme}${who}${place}${shownParameters(parameters)}`;
}

function shownInDoubt(address: string): string {
  const scheme = /^(?:postgres(?:ql)?:\/{0,2}|[a-z]+:\/\/)/.exec(address)?.[0] ?? '';
  const [, hidden = '', place = '', parameters, rest] =
    /^(.*(?:@|%40))?([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(address.slice(scheme.length)) ?? [];
  // Without an @, what stands behind a colon may be a password; behind a parameter, what looks like a host may be its end.
  const isPlace = hidden === '' ? /^[\w./~-]*$/.test(place) : /^[\w.:/~,[\]-]*$/.test(place) && !/\?.*=/s.test(hidden);
  return `${scheme}${hidden && '***@'}${isPlace ? place : '***'}${shownParameters(parameters)}${rest === undefined ? '' : '#***'}`;
}

function shownParameters(parameters: string | undefined): string {
  if (parameters === undefined) return '';
  const shown = parameters.split('&').map((parameter) => {
    const [name = ''] = parameter.split('=', 1);
    if (plainParameters.some((plain) => plain === name)) return parameter;
    return /^(?:ssl)?password$/i.test(name) ? `${name}=***` : '***';
  });
  return `?${shown.join('&')}`;
}

function isDecodable(address: string): boolean {
  try {
    decodeURIComponent(address);
    return true;
  } catch {
    return false;
  }
}
