import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { WireSession, initialize, post } from '../../support/wire.js';
import { EventStream, SessionApp, errorFrame, resultFrame, textResult, toolError } from './session-app.js';

const BOTH_NEEDED = 'Not acceptable: the Accept header must list application/json and text/event-stream.';
const NOBODY_WAITS = 'No request of this server waits for this response.';
const NO_MESSAGE = 'A message must have a method, or an id with either a result or an error.';

const Confirm = { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'] } as const;

@Injectable()
class Tools {
  @McpTool()
  async confirm(call: McpCall) {
    const { sure } = await call.elicit(Confirm, 'Sure?');
    return `sure: ${String(sure)}`;
  }

  @McpTool()
  chat(call: McpCall) {
    call.log('emergency', 'fire');
    call.progress(1);
    return 'done';
  }
}

describe('the Accept header', () => {
  it.each(['application/json', 'text/event-stream', 'text/html', 'application/json, text/event-stream;q=0'])(
    'of a request is refused as %s',
    async (accept) => {
      await using app = await SessionApp.boot([]);
      const session = await WireSession.open(app.url);

      const response = await session.post({ jsonrpc: '2.0', id: 9, method: 'ping' }, { accept });

      expect(response.status).toBe(406);
      expect(await response.json()).toEqual(errorFrame(9, 406, BOTH_NEEDED));
    },
  );

  it('of initialize is looked at too', async () => {
    await using app = await SessionApp.boot([]);

    const response = await post(app.url, JSON.stringify(initialize('2025-11-25')), { accept: 'application/json' });

    expect(response.status).toBe(406);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.json()).toEqual(errorFrame(0, 406, BOTH_NEEDED));
  });

  it.each(['*/*', 'text/event-stream, application/json;q=0.9', 'Application/JSON, text/*'])(
    'of a request may be %s',
    async (accept) => {
      await using app = await SessionApp.boot([]);
      const session = await WireSession.open(app.url);

      const response = await session.post({ jsonrpc: '2.0', id: 9, method: 'ping' }, { accept });

      expect(response.status).toBe(200);
    },
  );

  it('of a GET must list text/event-stream', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await session.get({ accept: 'application/json' });

    expect(response.status).toBe(406);
    expect(await response.json()).toEqual(
      errorFrame(undefined, 406, 'Not acceptable: the Accept header must list text/event-stream.'),
    );
  });
});

describe('the endpoint', () => {
  it.each(['PUT', 'PATCH'])('answers %s with 405 and says what is allowed', async (method) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await fetch(app.url, { method, headers: { 'mcp-session-id': session.id } });

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST, DELETE');
    expect(await response.json()).toEqual(errorFrame(undefined, 405, 'Method not allowed.'));
  });

  it('opens no stream for HEAD', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);
    const headers = { 'mcp-session-id': session.id, accept: 'text/event-stream' };

    const response = await fetch(app.url, { method: 'HEAD', headers });

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST, DELETE');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'answers a body of type %s with 415',
    async (contentType) => {
      await using app = await SessionApp.boot([]);
      const session = await WireSession.open(app.url);

      const response = await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { 'content-type': contentType });

      expect(response.status).toBe(415);
      expect(await response.json()).toEqual(errorFrame(undefined, 415, 'The Content-Type must be application/json.'));
    },
  );

  it('opens an event stream for GET', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const { response } = await EventStream.listen(session);

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
  });
});

describe('a notification', () => {
  it.each(['notifications/initialized', 'notifications/roots/list_changed', 'notifications/shop/closed'])(
    '%s is answered with 202 and no body',
    async (method) => {
      await using app = await SessionApp.boot([]);
      const session = await WireSession.open(app.url);

      const response = await session.post({ jsonrpc: '2.0', method });

      expect(response.status).toBe(202);
      expect(await response.text()).toBe('');
    },
  );

  it('needs no Accept header, since there is nothing to accept', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await session.post(
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { accept: 'text/html' },
    );

    expect(response.status).toBe(202);
  });

  it.each([
    ['no jsonrpc', { method: 'notifications/initialized' }, 'jsonrpc must be "2.0".'],
    [
      'params that are no object',
      { jsonrpc: '2.0', method: 'notifications/x', params: [1] },
      'params must be an object.',
    ],
    ['no method', { jsonrpc: '2.0', params: {} }, NO_MESSAGE],
  ])('with %s is refused with 400', async (_what, message, why) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await session.post(message);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(errorFrame(undefined, -32600, why));
  });
});

describe('a response of the client', () => {
  it('is answered with 202 and no body when a request waits for it', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
    const stream = await EventStream.call(session, 'confirm');
    const question = await stream.message();

    const response = await session.post({
      jsonrpc: '2.0',
      id: question?.['id'],
      result: { action: 'accept', content: { sure: true } },
    });

    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('sure: true'))]);
  });

  it.each([7, 'no-such-request'])('to a request that was never sent (%j) is refused with 400', async (id) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await session.post({ jsonrpc: '2.0', id, result: {} });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(errorFrame(undefined, -32600, NOBODY_WAITS));
  });

  it('is refused with 400 the second time', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
    const stream = await EventStream.call(session, 'confirm');
    const { id } = (await stream.message()) ?? {};
    await session.post({ jsonrpc: '2.0', id, result: { action: 'accept', content: { sure: false } } });

    const again = await session.post({ jsonrpc: '2.0', id, result: { action: 'accept', content: { sure: true } } });

    expect(again.status).toBe(400);
    expect(await again.json()).toEqual(errorFrame(undefined, -32600, NOBODY_WAITS));
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('sure: false'))]);
  });

  it.each([
    ['neither result nor error', {}],
    ['both result and error', { result: {}, error: { code: 1, message: 'no' } }],
    ['a result that is no object', { result: 'yes' }],
    ['an error without a code', { error: { message: 'no' } }],
  ])('with %s is refused with 400, and the question stays open', async (_what, answer) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
    const stream = await EventStream.call(session, 'confirm');
    const { id } = (await stream.message()) ?? {};

    const refused = await session.post({ jsonrpc: '2.0', id, ...answer });
    const accepted = await session.post({ jsonrpc: '2.0', id, result: { action: 'decline' } });

    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { code: -32600, message: NO_MESSAGE } });
    expect(accepted.status).toBe(202);
    expect(await stream.messages()).toEqual([resultFrame(1, toolError('The user declined to answer.'))]);
  });
});

describe('a server that answers with JSON only', () => {
  const options = { http: { jsonOnly: true } };

  it('answers GET with 405 and says what is allowed', async () => {
    await using app = await SessionApp.boot([], options);
    const session = await WireSession.open(app.url);

    const response = await session.get();

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST, DELETE');
    expect(await response.json()).toEqual(errorFrame(undefined, 405, 'This server does not stream.'));
  });

  it('is content with a client that accepts JSON only', async () => {
    await using app = await SessionApp.boot([Tools], options);
    const session = await WireSession.open(app.url);

    const response = await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { accept: 'application/json' });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  it('leaves out what a tool says before its result', async () => {
    await using app = await SessionApp.boot([Tools], options);
    const session = await WireSession.open(app.url);
    await session.request('logging/setLevel', { level: 'debug' });

    const response = await session.request('tools/call', { name: 'chat', _meta: { progressToken: 1 } });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(resultFrame(1, textResult('done')));
  });

  it('tells the model that the user cannot be asked', async () => {
    await using app = await SessionApp.boot([Tools], options);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });

    const response = await session.request('tools/call', { name: 'confirm' });

    const told = toolError('This needs an answer from the user, which this connection cannot ask for.');
    expect(await response.json()).toEqual(resultFrame(1, told));
  });
});
