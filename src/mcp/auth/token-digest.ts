import { createHash } from 'node:crypto';

/** What stands for a token where something about it is remembered: never the token itself. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
