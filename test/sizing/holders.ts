import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import type { Load } from './load.js';
import { type Json, ENVELOPE, post, statelessHeaders } from '../support/wire.js';

const PARALLEL = 20;

/** Opens sessions, and says their ids. */
export async function openSessions(url: string, count: number, headers: Record<string, string>): Promise<string[]> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {}, sampling: {}, roots: { listChanged: true } },
    clientInfo: { name: 'example-client', version: '1.0.0' },
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  return inParallel(count, async () => {
    const response = await post(url, body, headers);
    await response.text();
    const id = response.headers.get('mcp-session-id');
    if (id === null) throw new Error(`initialize was answered with ${response.status}.`);
    return id;
  });
}

/** Makes so many calls, and reads the answers. */
export async function makeCalls({ url, headers, body, sessions }: Load, count: number): Promise<void> {
  await inParallel(count, async (n) => {
    const session = sessions[n % sessions.length];
    const sent = { ...headers, ...(session !== undefined && { 'mcp-session-id': session }) };
    const response = await post(url, body.replace('%ID%', String(n)), sent);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`A call was answered with ${response.status}: ${text}`);
  });
}

/** Opens a GET stream for each session, and resolves when they are open. */
export async function holdGetStreams(url: string, sessions: readonly string[]): Promise<ClientRequest[]> {
  return inParallel(sessions.length, (n) =>
    hold(request(url, { headers: { accept: 'text/event-stream', 'mcp-session-id': sessions[n] }, agent: false })),
  );
}

/** Opens `subscriptions/listen` so many times. */
export async function holdListeners(url: string, count: number): Promise<ClientRequest[]> {
  return inParallel(count, (n) =>
    hold(statelessPost(url, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, n)),
  );
}

/** Makes so many calls, which must not be answered yet, and resolves when they were sent. */
export async function holdCalls(url: string, count: number, params: Json): Promise<ClientRequest[]> {
  return inParallel(count, async (n) => {
    const sent = statelessPost(url, 'tools/call', params, n);
    sent.on('error', () => undefined);
    await once(sent, 'finish');
    return sent;
  });
}

function statelessPost(url: string, method: string, params: Json, id: number): ClientRequest {
  const sent = request(url, { method: 'POST', headers: statelessHeaders(method, params), agent: false });
  return sent.end(JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: ENVELOPE } }));
}

async function hold(sent: ClientRequest): Promise<ClientRequest> {
  sent.end();
  const [opened] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  if (opened.statusCode !== 200) throw new Error(`A stream was answered with ${opened.statusCode}.`);
  await once(opened, 'data');
  opened.on('data', () => undefined).on('error', () => undefined);
  sent.on('error', () => undefined);
  return sent;
}

async function inParallel<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) done[n] = await work(n);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return done;
}
