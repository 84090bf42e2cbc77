import { TokenRefusal } from './token-refusal.error.js';

/** The header of a JWT, as far as it matters here; not verified. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
}

/** What a JWT says before anyone has verified it: enough to find out whom to ask for keys. */
export interface UnverifiedJwt {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>> & { readonly alg: string };
  readonly issuer: unknown;
}

const THREE_PARTS = /^([\w-]+)\.([\w-]+)\.[\w-]*$/;
const MAX_KEY_ID_LENGTH = 1_024;

/** @returns undefined when the token is no JWT, but opaque */
export function readJwt(token: string): UnverifiedJwt | undefined {
  const [, first, second] = THREE_PARTS.exec(token) ?? [];
  const header = decodeObject(first);
  if (!header || typeof header['alg'] !== 'string') return undefined;
  return { token, header: { ...header, alg: header['alg'] }, issuer: decodeObject(second)?.['iss'] };
}

/**
 * Checks what must be right before a key is looked for, so that no fetch is due to a token that is refused anyway.
 * @throws TokenRefusal
 */
export function acceptedHeader({ token, header }: UnverifiedJwt, algorithms: readonly string[]): TokenHeader {
  const { alg, kid, typ, crit } = header;
  if (!isCanonical(token)) throw new TokenRefusal('signature');
  if (!algorithms.includes(alg)) throw new TokenRefusal('algorithm');
  // RFC 7515 section 4.1.11: what is critical and not understood, which here is all of it, refuses the token.
  if (crit !== undefined || header['b64'] !== undefined) throw new TokenRefusal('algorithm');
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KEY_ID_LENGTH)) {
    throw new TokenRefusal('signature');
  }
  if (typ !== undefined && typeof typ !== 'string') throw new TokenRefusal('kind');
  return { alg, ...(kid !== undefined && { kid }), ...(typ !== undefined && { typ }) };
}

/** Bits that the last character of base64url has to spare would give one token many spellings (RFC 4648, section 3.5). */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

function decodeObject(part: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (part === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
