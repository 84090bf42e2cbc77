const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/;
const CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;

/** Whether a text has a scheme and something behind it, without white space: what has not is no URI at all. */
export function isAbsoluteUri(text: string): boolean {
  return SCHEME.test(text);
}

/** Whether a text holds nothing but what RFC 3986 allows in a URI (appendix A). */
export function hasUriCharacters(text: string): boolean {
  return CHARACTERS.test(text);
}

/**
 * Whether a value could lead out of the place it is meant for: a `.` or `..` between slashes of either kind, or a NUL.
 * Values come percent-decoded, so `%2F` and `%2E` are no way around it.
 */
export function leavesItsPlace(value: string): boolean {
  return /(?:^|[/\\])\.\.?(?:$|[/\\])/.test(value) || value.includes('\0');
}
