import { TokenRefusal } from './token-refusal.error.js';

/** Longest token, in characters (all of them ASCII). */
export const MAX_TOKEN_LENGTH = 16 * 1024;

const SCHEME = 'bearer';
/** How nearly everyone writes it. */
const USUAL_SCHEME = 'Bearer';
const SPACE = 0x20;
/** `b64token` of RFC 6750 section 2.1. */
const B64_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** What the `Authorization` header holds. */
export type BearerToken =
  { readonly kind: 'none' } | { readonly kind: 'other-scheme' } | { readonly kind: 'token'; readonly token: string };

const NONE: BearerToken = Object.freeze({ kind: 'none' });
const OTHER_SCHEME: BearerToken = Object.freeze({ kind: 'other-scheme' });

/**
 * Finds the token of a request, in its `Authorization` header and nowhere else (RFC 6750 section 2.1). What it consists
 * of is left to {@link checkTokenForm}: one that is known need not be looked at again.
 * @param header as the HTTP parser hands it over; undefined if there is none
 * @throws TokenRefusal when it is empty, too long or there several times
 */
export function readBearerToken(header: string | readonly string[] | undefined): BearerToken {
  if (header === undefined) return NONE;
  if (typeof header !== 'string' || header === '') throw new TokenRefusal('malformed');
  if (header.length > SCHEME.length + 1 + MAX_TOKEN_LENGTH) throw new TokenRefusal('malformed');
  const space = header.indexOf(' ');
  const scheme = space < 0 ? header : header.slice(0, space);
  if (scheme !== USUAL_SCHEME && scheme.toLowerCase() !== SCHEME) return OTHER_SCHEME;
  let start = scheme.length;
  while (header.charCodeAt(start) === SPACE) start += 1;
  return { kind: 'token', token: header.slice(start) };
}

/** @throws TokenRefusal when a token is none by its characters */
export function checkTokenForm(token: string): void {
  if (!B64_TOKEN.test(token)) throw new TokenRefusal('malformed');
}
