import { Injectable } from '@nestjs/common';
import { IsEmail, IsInt, IsOptional, Min } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { ANONYMOUS, ApiField, type Authenticator, McpCall, McpTool } from '../../../src/index.js';
import { type Json, WireSession, initialize, post } from '../../support/wire.js';
import { EventStream, SessionApp, errorFrame, resultFrame, textResult, toolError } from './session-app.js';

const BOTH = { elicitation: { form: {}, url: {} } };
const NOT_AS_ASKED = 'The answer from the client does not have the requested form. Ask again.';

class Contact {
  @ApiField('Where to write to')
  @IsEmail()
  email!: string;

  @ApiField('Guests besides you')
  @IsOptional()
  @IsInt()
  @Min(0)
  guests?: number;
}

const Choice = { type: 'object', properties: { day: { type: 'string', enum: ['Mon', 'Tue'] } } } as const;
const Nested = {
  type: 'object',
  properties: { address: { type: 'object', properties: { city: { type: 'string' } } } },
} as const;

@Injectable()
class Bookings {
  readonly charges: string[] = [];

  @McpTool()
  async book(call: McpCall) {
    const { email, guests = 0 } = await call.elicit(Contact, 'Who is coming?');
    return `${email} and ${guests}`;
  }

  @McpTool()
  async ask(call: McpCall) {
    const answer = await call.ask(Choice, 'Which day?');
    return JSON.stringify(answer);
  }

  @McpTool()
  async nested(call: McpCall) {
    await call.elicit(Nested, 'Where do you live?');
  }

  @McpTool()
  async signIn(call: McpCall) {
    return call.elicitUrl('https://bank.example/sign-in?state=1', 'Sign in at your bank.');
  }

  @McpTool({ input: { type: 'object', properties: { url: { type: 'string' } } } })
  async visit({ url }: { url: string }, call: McpCall) {
    return call.elicitUrl(url, 'Look here.');
  }

  @McpTool()
  async both(call: McpCall) {
    const [day, contact] = await Promise.all([call.ask(Choice, 'Which day?'), call.ask(Contact, 'Who is coming?')]);
    return JSON.stringify([day.action, contact.action]);
  }

  @McpTool()
  async pay(call: McpCall) {
    const charge = () => call.once('charge', () => this.charges.push('charged'));
    await Promise.all([charge(), charge()]);
    await call.elicit(Choice, 'Which day?');
    return `charge ${await charge()}`;
  }
}

function answer(session: WireSession, question: Json | undefined, body: Json): Promise<Response> {
  return session.post({ jsonrpc: '2.0', id: question?.['id'], ...body });
}

describe('a form', () => {
  it('of 2025-11-25 is asked for with mode, message and a flat schema, and its answer reaches the tool', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'book');

    const question = await stream.message();
    await answer(session, question, { result: { action: 'accept', content: { email: 'ann@example.com', guests: 2 } } });

    expect(question).toEqual({
      jsonrpc: '2.0',
      id: expect.stringMatching(/^.{16,}$/),
      method: 'elicitation/create',
      params: {
        mode: 'form',
        message: 'Who is coming?',
        requestedSchema: {
          type: 'object',
          properties: {
            email: { type: 'string', description: 'Where to write to', format: 'email' },
            guests: { type: 'integer', description: 'Guests besides you', minimum: 0 },
          },
          required: ['email'],
        },
      },
    });
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('ann@example.com and 2'))]);
  });

  it('of 2025-06-18 is asked for without a mode, which that revision does not know', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-06-18', { elicitation: {} });
    const stream = await EventStream.call(session, 'ask');

    const question = await stream.message();
    await answer(session, question, { result: { action: 'accept', content: { day: 'Tue' } } });

    expect(question?.['params']).toEqual({
      message: 'Which day?',
      requestedSchema: { type: 'object', properties: { day: { type: 'string', enum: ['Mon', 'Tue'] } } },
    });
    expect(await stream.messages()).toEqual([
      resultFrame(1, textResult('{"action":"accept","content":{"day":"Tue"}}')),
    ]);
  });

  it('is not sent to a 2025-03-26 client, whatever it declares', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-03-26', BOTH);

    const response = await session.request('tools/call', { name: 'ask' });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const told = toolError('This call needs a client with the capability: elicitation.');
    expect(await response.json()).toEqual(resultFrame(1, told));
  });

  it('whose schema is not flat is never sent', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);

    const response = await session.request('tools/call', { name: 'nested' });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(
      errorFrame(1, -32603, expect.stringMatching(/^Internal error\. Reference: /), { errorId: expect.any(String) }),
    );
  });

  it.each([
    ['a value of the wrong form', { email: 'nobody' }],
    ['a number below the minimum', { email: 'ann@example.com', guests: -1 }],
    ['a missing field', { guests: 1 }],
    ['nothing', undefined],
  ])('that is accepted with %s never reaches the tool', async (_what, content) => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'book');

    const accepted = await answer(session, await stream.message(), { result: { action: 'accept', content } });

    expect(accepted.status).toBe(202);
    expect(await stream.messages()).toEqual([resultFrame(1, toolError(NOT_AS_ASKED))]);
  });

  it.each([
    ['an action that does not exist', { action: 'perhaps', content: { email: 'a@b.example' } }],
    ['no action', { content: { email: 'a@b.example' } }],
    ['a list instead of fields', { action: 'accept', content: ['ann@example.com'] }],
  ])('with %s is refused, and the question goes on waiting', async (_what, result) => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'book');
    const question = await stream.message();

    const malformed = await answer(session, question, { result });
    const declined = await answer(session, question, { result: { action: 'decline' } });

    expect([malformed.status, declined.status]).toEqual([400, 202]);
    expect(await stream.messages()).toEqual([resultFrame(1, toolError('The user declined to answer.'))]);
  });

  it.each([
    ['decline', 'The user declined to answer.'],
    ['cancel', 'The user dismissed the question without an answer.'],
  ])('that the user answers with %s ends the call in good order', async (action, told) => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'book');

    await answer(session, await stream.message(), { result: { action } });

    expect(await stream.messages()).toEqual([resultFrame(1, toolError(told))]);
  });

  it.each(['decline', 'cancel'])(
    'that the user answers with %s is the tool’s to handle if it says so',
    async (action) => {
      await using app = await SessionApp.boot([Bookings]);
      const session = await WireSession.open(app.url, '2025-11-25', BOTH);
      const stream = await EventStream.call(session, 'ask');

      await answer(session, await stream.message(), { result: { action } });

      expect(await stream.messages()).toEqual([resultFrame(1, textResult(`{"action":"${action}"}`))]);
    },
  );

  it('that the client answers with an error fails the call', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'book');

    const accepted = await answer(session, await stream.message(), { error: { code: -32602, message: 'No dialogs.' } });

    expect(accepted.status).toBe(202);
    expect(await stream.messages()).toEqual([resultFrame(1, toolError('The client did not answer: No dialogs.'))]);
  });
});

describe('a URL', () => {
  it('is asked for with mode, message, URL and an id of its own', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: { url: {} } });
    const stream = await EventStream.call(session, 'signIn');

    const question = await stream.message();
    await answer(session, question, { result: { action: 'accept' } });

    expect(question).toEqual({
      jsonrpc: '2.0',
      id: expect.any(String),
      method: 'elicitation/create',
      params: {
        mode: 'url',
        message: 'Sign in at your bank.',
        url: 'https://bank.example/sign-in?state=1',
        elicitationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('accept'))]);
  });

  it.each(['decline', 'cancel'])('that the user answers with %s is told to the tool', async (action) => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'signIn');

    await answer(session, await stream.message(), { result: { action } });

    expect(await stream.messages()).toEqual([resultFrame(1, textResult(action))]);
  });

  it.each(['/sign-in', 'bank.example/sign-in', 'https://', ''])('that is none is never sent: "%s"', async (url) => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);

    const response = await session.request('tools/call', { name: 'visit', arguments: { url } });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toMatchObject({ id: 1, error: { code: -32603 } });
  });

  it.each(['http://bank.example/', 'http://localhost.bank.example/', 'javascript:alert(1)', 'file:///etc/passwd'])(
    'that is not https is never sent: %s',
    async (url) => {
      await using app = await SessionApp.boot([Bookings]);
      const session = await WireSession.open(app.url, '2025-11-25', BOTH);

      const response = await session.request('tools/call', { name: 'visit', arguments: { url } });

      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await response.json()).toMatchObject({ id: 1, error: { code: -32603 } });
    },
  );

  it.each(['http://localhost:3000/', 'http://127.0.0.1/', 'http://[::1]:3000/'])(
    'of the machine itself may be http, for development: %s',
    async (url) => {
      await using app = await SessionApp.boot([Bookings]);
      const session = await WireSession.open(app.url, '2025-11-25', BOTH);
      const stream = await EventStream.call(session, 'visit', { url });

      const question = await stream.message();

      expect(question?.['params']).toMatchObject({ mode: 'url', url });
    },
  );

  it('is not sent to a 2025-06-18 client, whatever it declares', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-06-18', BOTH);

    const response = await session.request('tools/call', { name: 'signIn' });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const told = toolError('This call needs a client with the capability: elicitation.');
    expect(await response.json()).toEqual(resultFrame(1, told));
  });
});

describe('questions', () => {
  it('of one call may be open at once and be answered in any order', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'both');
    const [day, contact] = [await stream.message(), await stream.message()];

    await answer(session, contact, { result: { action: 'decline' } });
    await answer(session, day, { result: { action: 'accept', content: { day: 'Mon' } } });

    expect([day, contact].map((question) => (question?.['params'] as Json)['message'])).toEqual([
      'Which day?',
      'Who is coming?',
    ]);
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('["accept","decline"]'))]);
  });

  it('do not make a side effect happen twice', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'pay');

    await answer(session, await stream.message(), { result: { action: 'accept', content: { day: 'Mon' } } });

    expect(await stream.messages()).toEqual([resultFrame(1, textResult('charge 1'))]);
    expect(app.get(Bookings).charges).toEqual(['charged']);
  });

  it('can be answered after the connection broke', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'book');
    const question = await stream.message();

    stream.cut();
    await app.idle();
    await answer(session, question, { result: { action: 'accept', content: { email: 'ann@example.com' } } });
    const resumed = await EventStream.listen(session, stream.lastEventId);

    expect(await resumed.messages()).toEqual([resultFrame(1, textResult('ann@example.com and 0'))]);
  });

  it('of one session cannot be answered in another', async () => {
    await using app = await SessionApp.boot([Bookings]);
    const session = await WireSession.open(app.url, '2025-11-25', BOTH);
    const other = await WireSession.open(app.url, '2025-11-25', BOTH);
    const stream = await EventStream.call(session, 'ask');
    const question = await stream.message();

    const foreign = await answer(other, question, { result: { action: 'accept', content: { day: 'Mon' } } });
    await answer(session, question, { result: { action: 'decline' } });

    expect(foreign.status).toBe(400);
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('{"action":"decline"}'))]);
  });

  it('cannot be answered by another user, even one who knows the session and the id', async () => {
    const authenticator: Authenticator = {
      authenticate: ({ headers }) => ({ ...ANONYMOUS, issuer: 'test', subject: String(headers['x-user']) }),
    };
    await using app = await SessionApp.boot([Bookings], { authenticator });
    const opened = await post(app.url, JSON.stringify(initialize('2025-11-25', BOTH)), { 'x-user': 'alice' });
    const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const send = (user: string, body: Json, signal?: AbortSignal) =>
      post(app.url, JSON.stringify({ jsonrpc: '2.0', ...body }), { ...headers, 'x-user': user }, signal);
    const stream = await EventStream.open((signal) =>
      send('alice', { id: 1, method: 'tools/call', params: { name: 'ask' } }, signal),
    );
    const id = (await stream.message())?.['id'];

    const foreign = await send('mallory', { id, result: { action: 'accept', content: { day: 'Mon' } } });
    const own = await send('alice', { id, result: { action: 'decline' } });

    expect(foreign.status).toBe(404);
    expect(own.status).toBe(202);
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('{"action":"decline"}'))]);
  });
});
