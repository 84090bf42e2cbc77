/** Names of headers, in lower case as Node gives them. */
export type HeaderNames = readonly string[];

/** Headers by which somebody else could be taken for the caller. */
export const CREDENTIAL_HEADERS: HeaderNames = ['authorization', 'cookie', 'proxy-authorization'];

/** And by which somebody else could go on with its session. */
export const SECRET_HEADERS: HeaderNames = [...CREDENTIAL_HEADERS, 'mcp-session-id'];

/** @returns the headers themselves if there is nothing to leave out */
export function withoutHeaders<H extends object>(headers: H, names: HeaderNames): H {
  for (const name of names) if (name in headers) return copyWithout(headers, names);
  return headers;
}

/** Not a copy from which some are deleted: that makes it a dictionary, which is slow to make and to read. */
function copyWithout<H extends object>(headers: H, names: HeaderNames): H {
  const rest: Record<string, unknown> = {};
  for (const name in headers) if (!names.includes(name)) rest[name] = headers[name];
  return rest as H;
}
