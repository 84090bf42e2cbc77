import type { IncomingMessage } from 'node:http';
import { BlockList, type Socket, isIP } from 'node:net';
import { McpError } from '../../protocol/errors.js';
import { remembering } from '../../protocol/remembering.js';

/** Of a socket; that of a Unix socket has no address. */
type Endpoint = Pick<Socket, 'localAddress' | 'destroyed'>;

/** By which proxies say for whom they ask (RFC 7239, and what was there before it). */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** Addresses that no other machine can send to (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3). */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Refuses a request that did not come in over loopback, for a server without authentication that was not told that
 * this is what is wanted. It goes by the address the client connected to, not by headers.
 *
 * A proxy on the same machine connects over loopback too: what says that it was forwarded is refused as well, but not
 * every proxy says so.
 * @throws McpError `FORBIDDEN`
 */
export function requireLoopback({ socket, headers }: Pick<IncomingMessage, 'headers'> & { socket: Endpoint }): void {
  const { localAddress, destroyed } = socket;
  // A connection that is gone has no address either, but what it asked for would still be done.
  const local = localAddress === undefined ? !destroyed : isLoopbackIp(localAddress);
  if (local && !isForwarded(headers)) return;
  throw new McpError(
    'FORBIDDEN',
    'This server has no authentication, so it serves loopback only. ' +
      'An operator can configure authentication, or say AUTH_MODE=none (the option auth: "none") to serve everyone who reaches it.',
  );
}

function isForwarded(headers: IncomingMessage['headers']): boolean {
  for (const name of FORWARDED) if (headers[name] !== undefined) return true;
  return false;
}

/**
 * Whether a server that is bound to this host can be reached from its own machine only. Names other than `localhost`
 * are not looked up: they count as reachable.
 */
export function isLoopbackAddress(host: string): boolean {
  return host.toLowerCase() === 'localhost' || isLoopbackIp(host);
}

/** A machine has few addresses of its own. */
const isLoopbackIp = remembering(100, (address) => {
  const version = isIP(address);
  // It knows IPv4 addresses in their IPv6 form (::ffff:127.0.0.1) as well.
  return version !== 0 && LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6');
});
