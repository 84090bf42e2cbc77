import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { type Load, type LoadKind, argumentsOf } from './load.js';
import type { ServerProcess } from './server-process.js';
import { type Json, lastMessage } from './wire.js';

const ID = 4711;
const CALLED_DAYS = 3;

/** One answer of a server, looked at as a whole, before any load. @throws Error when it is not what it should be */
export async function checkAnswer(kind: LoadKind, server: ServerProcess, load: Load): Promise<Json> {
  try {
    const { message, body } = await send(load, String(CALLED_DAYS));
    strictEqual(message['jsonrpc'], '2.0');
    strictEqual(message['id'], ID);
    const result = message['result'] as Json;
    if (kind === 'list') {
      ok((result['tools'] as unknown[]).length > 0);
      return message;
    }
    const structuredContent = { ...argumentsOf(CALLED_DAYS), summary: `${CALLED_DAYS} days in Lisbon` };
    deepStrictEqual(result['structuredContent'], structuredContent);
    const [content] = result['content'] as [{ type: string; text: string }];
    strictEqual(content.type, 'text');
    deepStrictEqual(JSON.parse(content.text), structuredContent);
    if (kind === 'stream') strictEqual(body.split('"notifications/progress"').length - 1, 20);
    if (server.contestant.validates !== false) await checkRefusal(load);
    return message;
  } catch (cause) {
    throw new Error(`${server.contestant.name} does not answer as it should. Its log: ${server.log()}`, { cause });
  }
}

/** What nobody has checked must not come through. */
async function checkRefusal(load: Load): Promise<void> {
  for (const days of ['99', '"three"']) {
    const { message } = await send(load, days);
    const isRefused = 'error' in message || (message['result'] as Json)['isError'] === true;
    ok(isRefused, `days: ${days} was answered with ${JSON.stringify(message)}`);
  }
}

async function send(load: Load, days: string): Promise<{ message: Json; body: string }> {
  const session = load.sessions[0];
  const response = await fetch(load.url, {
    method: 'POST',
    headers: { ...load.headers, ...(session !== undefined && { 'mcp-session-id': session }) },
    body: load.body.replace('%ID%', String(ID)).replaceAll('%DAYS%', days),
  });
  const body = await response.text();
  return { message: lastMessage(response.headers.get('content-type') ?? '', body), body };
}
