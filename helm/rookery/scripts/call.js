/* global AbortSignal, fetch, setTimeout */
/**
 * Makes real MCP calls, of both protocol eras, and exits with 1 unless they are answered as they must be. `helm test` runs
 * it from the chart, with nothing but node.
 * Environment: MCP_URL; MCP_EXPECT `service`, or `refusal` where callers need a token; MCP_TOKEN, with which calls are
 * made there too. Without it a refusal is all that is tested.
 */
const { MCP_URL = 'http://127.0.0.1:3000/mcp', MCP_EXPECT = 'service', MCP_TOKEN = '' } = process.env;
const CLIENT = { name: 'helm-test', version: '1.0.0' };
const ATTEMPTS = 10;
const TIMEOUT_MS = 5_000;
const PAUSE_S = 2;
const MOST_PAUSE_S = 5;
const AUTHORIZATION = MCP_TOKEN ? { authorization: `Bearer ${MCP_TOKEN.trim()}` } : {};

/**
 * Posts a message. A connection that fails is tried again, since a Service takes a moment to know its pods; and so is 503,
 * with which a replica that is starting or stopping refuses what it has not begun.
 */
async function post(message, headers = AUTHORIZATION) {
  for (let attempt = 1; ; attempt += 1) {
    let pause = PAUSE_S;
    try {
      const response = await fetch(MCP_URL, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status !== 503 || attempt === ATTEMPTS) return response;
      await response.text();
      // RFC 9110, section 10.2.3; a date is not looked at.
      const asked = Number(response.headers.get('retry-after') ?? PAUSE_S);
      pause = Number.isNaN(asked) ? PAUSE_S : Math.min(asked, MOST_PAUSE_S);
    } catch (error) {
      if (attempt === ATTEMPTS)
        throw new Error(`${MCP_URL} cannot be reached: ${error.cause?.message ?? error.message}`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, pause * 1_000));
  }
}

/** The result of a response, as JSON or the last event of a stream. */
async function resultOf(what, response) {
  const text = await response.text();
  if (!response.ok) throw new Error(`${what}: HTTP ${response.status} ${text.slice(0, 500)}`);
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  const data = isStream
    ? text
        .split('\n')
        .findLast((line) => /^data: *\{/.test(line))
        ?.slice('data:'.length)
    : text;
  const { result, error } = JSON.parse(data ?? '{}');
  if (result === undefined) throw new Error(`${what}: ${JSON.stringify(error ?? text.slice(0, 500))}`);
  return result;
}

/** Revision 2026-07-28: every request stands alone. */
function stateless(method) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': CLIENT,
    'io.modelcontextprotocol/clientCapabilities': Object.create(null),
  };
  const headers = { ...AUTHORIZATION, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
  return post({ id: 1, method, params: { _meta } }, headers);
}

/** Revision 2025-11-25: a session. */
function initialize() {
  const params = { protocolVersion: '2025-11-25', capabilities: Object.create(null), clientInfo: CLIENT };
  return post({ id: 1, method: 'initialize', params });
}

async function expectService() {
  const discovered = await resultOf('server/discover', await stateless('server/discover'));
  console.log(`server/discover: ${discovered.supportedVersions.join(', ')}`);
  const { tools } = await resultOf('tools/list', await stateless('tools/list'));
  console.log(`tools/list: ${tools.length} tools`);

  const opened = await initialize();
  const { serverInfo, protocolVersion } = await resultOf('initialize', opened);
  const id = opened.headers.get('mcp-session-id');
  if (id === null) throw new Error('initialize: there is no session id.');
  const session = { ...AUTHORIZATION, 'mcp-session-id': id, 'mcp-protocol-version': protocolVersion };
  console.log(`initialize: ${serverInfo.name} ${serverInfo.version}, ${protocolVersion}`);
  await (await post({ method: 'notifications/initialized' }, session)).text();
  // Maybe on another replica: without Redis, or with two of them, this is where it shows.
  const listed = await resultOf('tools/list in the session', await post({ id: 2, method: 'tools/list' }, session));
  console.log(`tools/list in the session: ${listed.tools.length} tools`);
  const ended = await fetch(MCP_URL, { method: 'DELETE', headers: session, signal: AbortSignal.timeout(TIMEOUT_MS) });
  console.log(`DELETE of the session: ${ended.status}`);
}

/** RFC 6750, section 3, and RFC 9728, section 5.1: the refusal says where tokens come from. */
async function expectRefusal() {
  const response = await post(
    { id: 1, method: 'ping' },
    { authorization: 'Bearer not-a-token', 'mcp-protocol-version': '2025-11-25' },
  );
  await response.text();
  const challenge = response.headers.get('www-authenticate') ?? '';
  if (response.status !== 401 || !/^Bearer .*resource_metadata="/.test(challenge)) {
    throw new Error(`A call with a wrong token got HTTP ${response.status}, WWW-Authenticate: ${challenge || 'none'}.`);
  }
  console.log(`A call with a wrong token: 401, ${challenge}`);
}

try {
  if (MCP_EXPECT === 'refusal') await expectRefusal();
  if (MCP_EXPECT !== 'refusal' || MCP_TOKEN) await expectService();
  else console.log('Only the refusal was tested. With tests.token.existingSecret of the chart, calls are made, too.');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
