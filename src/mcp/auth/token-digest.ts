import { hash } from 'node:crypto';

/**
 * What stands for a token where something about it is remembered: never the token itself, so that no dump of the memory
 * holds the tokens of a while ago, and how long a look-up takes says nothing about them. It is made for every request:
 * in less time than a Map needs to hash the token as its key.
 */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'base64url');
}
