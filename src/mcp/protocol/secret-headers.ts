/** Names of headers, in lower case as Node gives them. */
export type HeaderNames = readonly string[];

/** Headers by which somebody else could be taken for the caller. */
export const CREDENTIAL_HEADERS: HeaderNames = ['authorization', 'cookie', 'proxy-authorization'];

/** And by which somebody else could go on with its session. */
export const SECRET_HEADERS: HeaderNames = [...CREDENTIAL_HEADERS, 'mcp-session-id'];

/** @returns the headers themselves if there is nothing to leave out */
export function withoutHeaders<H extends object>(headers: H, names: HeaderNames): H {
  if (!names.some((name) => name in headers)) return headers;
  const rest: H = { ...headers };
  for (const name of names) Reflect.deleteProperty(rest, name);
  return rest;
}
