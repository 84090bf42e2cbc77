/** Whether a URL's host can only be this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * Reads a URL that credentials or keys travel over, or that stands for who may issue them.
 * @param name of the option or metadata field, for the error
 * @throws Error when it is no URL, has a user or a fragment, or is neither https nor http on loopback
 */
export function secureUrl(name: string, value: unknown): URL {
  if (typeof value !== 'string' || !URL.canParse(value)) {
    throw new Error(`${name} must be an absolute URL, such as https://example.com/path.`);
  }
  const url = new URL(value);
  // The text may hold a password, so it is not repeated.
  if (url.username !== '' || url.password !== '') throw new Error(`${name} must have no user or password in it.`);
  if (value.includes('#')) throw new Error(`${name} must have no fragment: leave out "#" and what follows.`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
    throw new Error(`${name} must begin with https://; http:// is for loopback alone (127.0.0.1, [::1], localhost).`);
  }
  return url;
}
