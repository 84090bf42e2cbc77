type Headers = Readonly<Record<string, unknown>>;

/** Headers that are not for everyone. */
export interface HiddenHeaders {
  /** In lower case, as Node gives them. */
  readonly names: readonly string[];
  /** Each by its name: to look for whatever is in a list takes several times as long. */
  areIn(headers: Headers): boolean;
}

/** Headers by which somebody else could be taken for the caller. */
export const CREDENTIAL_HEADERS: HiddenHeaders = {
  names: ['authorization', 'cookie', 'proxy-authorization'],
  areIn: hasCredentials,
};

/** And by which somebody else could go on with its session. */
export const SECRET_HEADERS: HiddenHeaders = {
  names: [...CREDENTIAL_HEADERS.names, 'mcp-session-id'],
  areIn: (headers) => headers['mcp-session-id'] !== undefined || hasCredentials(headers),
};

function hasCredentials(headers: Headers): boolean {
  return (
    headers['authorization'] !== undefined ||
    headers['cookie'] !== undefined ||
    headers['proxy-authorization'] !== undefined
  );
}

/** @returns the headers themselves if there is nothing to leave out */
export function withoutHeaders<H extends object>(headers: H, hidden: HiddenHeaders): H {
  return hidden.areIn(headers as Headers) ? copyWithout(headers, hidden.names) : headers;
}

/** Not a copy from which some are deleted: that makes it a dictionary, which is slow to make and to read. */
function copyWithout<H extends object>(headers: H, names: readonly string[]): H {
  const rest: Record<string, unknown> = {};
  for (const name in headers) if (!names.includes(name)) rest[name] = headers[name];
  return rest as H;
}
