import { randomUUID } from 'node:crypto';

/** Returns a random ID in the service's form, 32 hex digits. */
export function newId(): string {
  return randomUUID().replaceAll('-', '');
}
