import { TokenRefusal } from './token-refusal.error.js';

/** Longest token, in characters (all of them ASCII). */
export const MAX_TOKEN_LENGTH = 16 * 1024;

const SCHEME = 'bearer';
/** `b64token` of RFC 6750 section 2.1. */
const B64_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** What the `Authorization` header holds. */
export type BearerToken =
  { readonly kind: 'none' } | { readonly kind: 'other-scheme' } | { readonly kind: 'token'; readonly token: string };

/**
 * Reads the token of a request, from its `Authorization` header and nowhere else (RFC 6750 section 2.1).
 * @param header as the HTTP parser hands it over; undefined if there is none
 * @throws TokenRefusal when it is malformed, too long or there several times
 */
export function readBearerToken(header: string | readonly string[] | undefined): BearerToken {
  if (header === undefined) return { kind: 'none' };
  if (typeof header !== 'string' || header === '') throw new TokenRefusal('malformed');
  if (header.length > SCHEME.length + 1 + MAX_TOKEN_LENGTH) throw new TokenRefusal('malformed');
  const space = header.indexOf(' ');
  const scheme = (space < 0 ? header : header.slice(0, space)).toLowerCase();
  if (scheme !== SCHEME) return { kind: 'other-scheme' };
  const token = space < 0 ? '' : header.slice(space).replace(/^ +/, '');
  if (token.length > MAX_TOKEN_LENGTH || !B64_TOKEN.test(token)) throw new TokenRefusal('malformed');
  return { kind: 'token', token };
}
