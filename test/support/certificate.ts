import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Creates a key and a self-signed certificate for `host`, or for other `names`, in a folder that others may enter; `null` without openssl. */
export function selfSigned(host: string, names: readonly string[] = [host]): { readonly cert: string; readonly key: string } | null {
  const folder = mkdtempSync(join(tmpdir(), 'edict-tls-'));
  chmodSync(folder, 0o755);
  const [cert, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${host}`];
  if (names.length > 0) options.push('-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`);
  try {
    execFileSync('openssl', ['req', ...options, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  } catch {
    return null;
  }
  chmodSync(key, 0o600);
  return { cert, key };
}
