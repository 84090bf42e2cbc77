import type { IncomingMessage } from 'node:http';
import { McpError } from '../../protocol/errors.js';
import { remembering } from '../../protocol/remembering.js';
import { hasRepeated } from './repeated-headers.js';

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Says whether a request may come in, by its `Host` and `Origin` headers: the defence against DNS rebinding
 * (2026-07-28 basic/transports/streamable-http, "Security & Endpoint").
 */
export class HostChecks {
  private readonly hosts: ReadonlySet<string>;
  private readonly origins: ReadonlySet<string>;
  private readonly anyHost: boolean;
  private readonly allowsHost = remembering(100, (host) => this.hosts.has(hostName(host)));

  /**
   * @param allowedHosts host names without port; `*` allows any
   * @param allowedOrigins origins as browsers send them; pages on an allowed loopback host are allowed besides
   * @throws Error when one of them is no origin
   */
  constructor(allowedHosts: readonly string[], allowedOrigins: readonly string[]) {
    this.hosts = new Set(allowedHosts.map((host) => host.toLowerCase()));
    this.origins = new Set(allowedOrigins.map(requireOrigin));
    this.anyHost = this.hosts.has('*');
  }

  /** @throws McpError `FORBIDDEN` */
  check(host: string | undefined, origin: string | undefined): void {
    if (!this.anyHost && !this.allowsHost(host ?? '')) {
      throw new McpError('FORBIDDEN', 'This Host is not served here. An operator can allow it with MCP_ALLOWED_HOSTS.');
    }
    if (origin !== undefined && !this.allowsOrigin(origin)) {
      throw new McpError('FORBIDDEN', 'This Origin is not allowed. An operator can allow it with MCP_ALLOWED_ORIGINS.');
    }
  }

  /** Whether pages of an origin may call. */
  allowsOrigin(given: string): boolean {
    const origin = given.toLowerCase();
    if (this.origins.has(origin)) return true;
    if (!isOrigin(origin)) return false;
    const { hostname } = new URL(origin);
    return LOOPBACK_HOSTS.has(hostname) && this.hosts.has(hostname);
  }
}

/** Whether it is an origin as browsers send it (RFC 6454, section 6.2): scheme and host, a port that is not the usual. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** An origin that no browser sends would never match, and nobody would know why. @throws Error */
function requireOrigin(given: string): string {
  const origin = given.toLowerCase();
  if (isOrigin(origin)) return origin;
  const meant = URL.canParse(origin) ? new URL(origin).origin : 'null';
  throw new Error(
    `The allowed origin ${JSON.stringify(given)} is none. ` +
      (meant === 'null' ? 'Write it as https://app.example.com.' : `Write ${meant} instead.`),
  );
}

/**
 * The host a request is meant for: that of its target, if this is a whole address, or else its `Host` (RFC 9112,
 * section 3.2.2).
 * @throws McpError `INVALID_REQUEST` when there are several: a proxy may have gone by another one than we (section 3.2)
 */
export function requestedHost({
  url = '/',
  headers,
  rawHeaders,
}: Pick<IncomingMessage, 'url' | 'headers' | 'rawHeaders'>): string | undefined {
  if (hasRepeated({ headers, rawHeaders }) && hostsIn(rawHeaders) > 1) {
    throw new McpError('INVALID_REQUEST', 'A request must have one Host header.');
  }
  if (url.startsWith('/')) return headers.host;
  return URL.canParse(url) ? new URL(url).host : undefined;
}

function hostsIn(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/** The name without its port; empty if there is none to be had. */
function hostName(host: string): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/.exec(host.toLowerCase());
  return match?.[1] ?? '';
}
