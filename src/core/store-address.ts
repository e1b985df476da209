/** Returns the address of a store, or what was given for one, without its password. */
export function shownAddress(address: string): string {
  const url = /^postgres(?:ql)?:\/\//.test(address) ? URL.parse(address) : null;
  // A password with a slash in it that was not encoded is taken for a part of the path.
  if (!url || url.pathname.includes('@')) return address.replace(/:\/\/.*@/, '://***@');
  if (url.password !== '') url.password = '***';
  for (const name of ['password', 'sslpassword']) if (url.searchParams.has(name)) url.searchParams.set(name, '***');
  return url.href.replaceAll('%2A', '*');
}
