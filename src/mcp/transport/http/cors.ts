import { McpError } from '../../protocol/errors.js';

type Headers = Readonly<Record<string, string>>;
type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

const METHODS = 'GET, POST, DELETE';

/**
 * What a client of any revision may send: `Mcp-Session-Id` and `Last-Event-ID` belong to the session revisions
 * (2025-11-25 basic/transports, "Session Management" and "Resumability"), `Mcp-Method` and `Mcp-Name` to 2026-07-28
 * (basic/transports/streamable-http, "Standard Request Headers"), `MCP-Protocol-Version` to both, the last three to
 * browsers that trace their requests (W3C Trace Context, W3C Baggage).
 */
const REQUEST_HEADERS = [
  'Content-Type',
  'Accept',
  'Authorization',
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'traceparent',
  'tracestate',
  'baggage',
];

/** What a page may read of a reply: its session, its revision, where to get a token, when to come again. */
const EXPOSED_HEADERS = 'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After';

/**
 * Also without an origin, or else a cache could hand the reply to a page (Fetch, 3.3.5 "CORS protocol and HTTP caches").
 */
const VARY: Headers = { vary: 'Origin' };

/** A header that mirrors an argument, of whatever name (2026-07-28 basic/transports/streamable-http, "Schema Extension"). */
const PARAM_HEADER = /^mcp-param-[\w!#$%&'*+.^`|~-]{1,128}$/;
/** Such headers that one preflight may ask for. */
const MAX_PARAM_HEADERS = 64;

/** Seconds a browser may keep the answer to a preflight; what an operator takes off the list is off it soon. */
const MAX_AGE_SECONDS = 600;

/**
 * CORS headers of a document that anyone may read and that says the same to all: the protected-resource metadata
 * (RFC 9728). Clients name their revision when they fetch it, hence the header.
 */
export const PUBLIC_CORS: Headers = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET',
  'access-control-allow-headers': 'Accept, Content-Type, MCP-Protocol-Version',
  'access-control-max-age': String(MAX_AGE_SECONDS),
};

/**
 * What pages of other origins may do with the MCP endpoint (Fetch, section 3.3 "CORS protocol"). It names the one
 * origin that asked, never `*`, and never lets a browser add cookies: whoever calls shows a token.
 *
 * It only says headers. To refuse a request because of its `Origin` is up to `HostChecks`, since that must happen to
 * clients as well that know nothing of CORS.
 */
export class CorsPolicy {
  /** @param allows whether pages of this origin may call; `HostChecks` knows */
  constructor(private readonly allows: (origin: string) => boolean) {}

  /**
   * The headers of any reply but a preflight's, errors and streams included: a page cannot read a 401 without them.
   * For an origin that is not allowed there is none that opens anything.
   */
  headersFor(origin: string | undefined): Headers {
    if (!this.mayRead(origin)) return VARY;
    return { ...VARY, 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED_HEADERS };
  }

  /**
   * The answer to an `OPTIONS` request.
   * @param headers of the request, as Node has them
   * @throws McpError `FORBIDDEN` when it names no origin, or one that is not allowed
   */
  preflight(headers: RequestHeaders): { readonly status: 204; readonly headers: Headers } {
    const { origin } = headers;
    if (typeof origin !== 'string' || !this.mayRead(origin)) {
      throw new McpError('FORBIDDEN', 'This Origin is not allowed. An operator can allow it with MCP_ALLOWED_ORIGINS.');
    }
    const asked = headers['access-control-request-headers'];
    return {
      status: 204,
      headers: {
        vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
        'access-control-allow-origin': origin,
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': [...REQUEST_HEADERS, ...paramHeaders(asked)].join(', '),
        'access-control-max-age': String(MAX_AGE_SECONDS),
      },
    };
  }

  private mayRead(origin: string | undefined): origin is string {
    // `null` is what a page in any sandbox says, and `*` would be every page, whatever an operator has listed.
    return origin !== undefined && origin !== 'null' && origin !== '*' && this.allows(origin);
  }
}

/**
 * Those of the headers asked for that can mirror an argument. They are not compared with what tools declare: a
 * preflight bears no token, and strangers must not learn from it which tools there are.
 */
function paramHeaders(asked: string | readonly string[] | undefined): string[] {
  if (typeof asked !== 'string') return [];
  const names = asked.split(',').map((name) => name.trim().toLowerCase());
  return [...new Set(names)].filter((name) => PARAM_HEADER.test(name)).slice(0, MAX_PARAM_HEADERS);
}
