/**
 * Values of the `Mcp-Name` and `Mcp-Param-*` headers (2026-07-28 basic/transports/streamable-http, "Value Encoding").
 */
const PREFIX = '=?base64?';
const SUFFIX = '?=';
/** Visible ASCII, space and horizontal tab (RFC 9110, section 5.5). */
const PLAIN = /^[\t\x20-\x7e]*$/;
/** `ignoreBOM` keeps a leading U+FEFF, which is part of the value. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The value that a header stands for, to be compared with the request's body.
 *
 * @param raw field value as the HTTP parser hands it over
 * @returns undefined if it is not a valid value: characters outside visible ASCII, space and tab, or between the
 *   sentinels something other than padded, canonical Base64 of well-formed UTF-8. Answer that with HEADER_MISMATCH.
 */
export function decodeHeaderValue(raw: string): string | undefined {
  if (!PLAIN.test(raw)) return undefined;
  if (!isSentinel(raw)) return raw;

  const base64 = raw.slice(PREFIX.length, -SUFFIX.length);
  const bytes = Buffer.from(base64, 'base64');
  // Node's decoder skips what it cannot read; encoding again shows whether it did. The length tells `=?base64?=`,
  // whose sentinels overlap, from an empty value.
  if (raw.length < PREFIX.length + SUFFIX.length || bytes.toString('base64') !== base64) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The header value that stands for a text: itself where that is safe, else its Base64 form.
 * @throws RangeError when the text holds a lone surrogate, which UTF-8 cannot carry
 */
export function encodeHeaderValue(value: string): string {
  // An HTTP parser strips white space at both ends, and a plain sentinel would be decoded.
  if (PLAIN.test(value) && !/^[\t ]|[\t ]$/.test(value) && !isSentinel(value)) return value;

  const bytes = Buffer.from(value, 'utf8');
  if (bytes.toString('utf8') !== value) {
    throw new RangeError('A header value must be well-formed Unicode; remove the lone surrogate.');
  }
  return PREFIX + bytes.toString('base64') + SUFFIX;
}

function isSentinel(value: string): boolean {
  return value.startsWith(PREFIX) && value.endsWith(SUFFIX);
}
