/**
 * @modelcontextprotocol/sdk 1.x on `node:http`, by MODE: `stateless` (a server for each request, JSON), `session` (a server
 * for each session, SSE: the default of the SDK), `session-json`, and `sse`, the transport of 2024-11-05.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { forecast, forecastSlowly, MODE, MORE_NAMES, PORT } from './forecast.js';
import { INPUT, OUTPUT } from './zod-schemas.js';

const config = { description: 'Forecast', inputSchema: INPUT, outputSchema: OUTPUT };

function answer(structuredContent) {
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

const quickly = (given) => answer(forecast(given));

async function slowly(given, { _meta, sendNotification }) {
  const progressToken = _meta?.progressToken;
  const report = (step) => sendNotification({ method: 'notifications/progress', params: { progressToken, ...step } });
  return answer(await forecastSlowly(given, report));
}

function makeServer() {
  const server = new McpServer({ name: 'bench', version: '1.0.0' });
  for (const name of ['forecast', ...MORE_NAMES]) server.registerTool(name, config, quickly);
  server.registerTool('forecastSlowly', config, slowly);
  return server;
}

async function stateless(request, response) {
  const server = makeServer();
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on('close', () => {
    void transport.close();
    void server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response);
}

const transports = new Map();

async function session(request, response) {
  const known = transports.get(request.headers['mcp-session-id']);
  if (known) return known.handleRequest(request, response);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: MODE === 'session-json',
    onsessioninitialized: (id) => transports.set(id, transport),
    onsessionclosed: (id) => transports.delete(id),
  });
  await makeServer().connect(transport);
  return transport.handleRequest(request, response);
}

async function sse(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (pathname === '/messages') {
    return transports.get(searchParams.get('sessionId')).handlePostMessage(request, response);
  }
  const transport = new SSEServerTransport('/messages', response);
  transports.set(transport.sessionId, transport);
  response.on('close', () => transports.delete(transport.sessionId));
  return makeServer().connect(transport);
}

const handle = { stateless, session, 'session-json': session, sse }[MODE];
createServer((request, response) => void handle(request, response)).listen(PORT, '127.0.0.1');
