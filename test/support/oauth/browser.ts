/** Redirects and pages on the way from an authorization request to the client; more is a loop. */
const MAX_STEPS = 12;

/** The browser of one user: keeps cookies, follows redirects, and says yes on the pages of an {@link OidcServer}. */
export class Browser {
  private readonly cookies = new Map<string, Map<string, string>>();

  constructor(readonly user: string) {}

  /**
   * Follows an authorization request to its end.
   *
   * @returns what the authorization server sends to the redirect URI, which itself is not visited
   */
  async authorize(request: URL, redirectUri: string): Promise<URLSearchParams> {
    let url = request;
    let response = await this.send(url);
    for (let step = 0; step < MAX_STEPS; step++) {
      const location = response.headers.get('location');
      if (location !== null) {
        url = new URL(location, url);
        if (url.href.startsWith(redirectUri)) return url.searchParams;
        response = await this.send(url);
      } else if (response.ok && url.pathname.startsWith('/interaction/')) {
        response = await this.send(url, new URLSearchParams({ user: this.user }));
      } else {
        throw new Error(`The authorization server answers ${response.status}: ${await response.text()}`);
      }
    }
    throw new Error(`The authorization server goes round in circles; the last page was ${url.pathname}.`);
  }

  private async send(url: URL, form?: URLSearchParams): Promise<Response> {
    const jar = this.cookies.get(url.origin) ?? new Map<string, string>();
    this.cookies.set(url.origin, jar);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split(/=(.*)/s);
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }
}
