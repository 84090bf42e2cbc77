import { Injectable, Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  ANONYMOUS,
  Authenticator,
  type Credentials,
  McpCall,
  McpPrompt,
  McpTool,
  type Principal,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { type Json, statelessRequest } from '../../support/wire.js';
import { CAPABILITIES, answerOf } from './requests.js';

const Consent = z.object({ agreed: z.boolean() });
const transferInput = z.object({ to: z.string(), cents: z.number() });
let runs = 0;

@Injectable()
class Fixtures {
  @McpTool({ input: transferInput })
  async transfer({ to, cents }: z.infer<typeof transferInput>, call: McpCall) {
    runs += 1;
    await call.elicit(Consent, 'Go on?');
    return `${cents} to ${to}`;
  }

  @McpTool({ input: transferInput })
  withdraw(input: z.infer<typeof transferInput>, call: McpCall) {
    return this.transfer(input, call);
  }

  @McpPrompt({ name: 'transfer' })
  async prompt(call: McpCall) {
    runs += 1;
    await call.elicit(Consent, 'Go on?');
    return 'Go on.';
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

/** Who calls is in a header; so is a token that changes. */
const authenticator: Authenticator = {
  authenticate: ({ headers }: Credentials): Principal => ({ ...ANONYMOUS, subject: String(headers['x-user']) }),
};

const REFUSED = {
  status: 200,
  body: {
    jsonrpc: '2.0',
    id: 2,
    error: {
      code: -32602,
      message: 'The request state is not valid for this request. Repeat the request without requestState.',
    },
  },
};
const TRANSFER = { name: 'transfer', arguments: { to: 'ada', cents: 100 } };
const inputResponses = { elicitation_1: { action: 'accept', content: { agreed: true } } };

describe('requestState', () => {
  let app: McpTestApp;
  let requestState: string;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    app = await createMcpTestApp(FixtureModule, { override: [[Authenticator, authenticator]] });
    const { body } = await answerOf(await send('tools/call', TRANSFER));
    ({ requestState } = body['result'] as { requestState: string });
    runs = 0;
  });
  afterEach(async () => {
    vi.useRealTimers();
    await app.close();
  });

  function send(method: string, params: Json, headers: Record<string, string> = {}): Promise<Response> {
    return statelessRequest(app.url, method, params, {
      id: 2,
      meta: { [CAPABILITIES]: { elicitation: {} } },
      headers: { 'x-user': 'ada', ...headers },
    });
  }
  const retry = (method: string, params: Json, headers?: Record<string, string>): Promise<Response> =>
    send(method, { requestState, inputResponses, ...params }, headers);

  it('takes the request up where it stopped, also with a fresh token and other metadata', async () => {
    const response = await retry('tools/call', TRANSFER, { authorization: 'Bearer refreshed' });

    expect((await answerOf(response)).body['result']).toMatchObject({ content: [{ text: '100 to ada' }] });
  });

  it.each([
    ['altered in its tag', (state: string) => state.slice(0, -2) + (state.at(-2) === 'A' ? 'B' : 'A') + state.at(-1)],
    [
      'altered in its content',
      (state: string) => state.replace(/(.)\.([\w-]+)$/, (_all, c, tag) => `${c === 'A' ? 'B' : 'A'}.${tag}`),
    ],
    ['cut off', (state: string) => state.slice(0, -10)],
    ['empty', () => ''],
    ['made up', () => 'eyJhbGciOiJub25lIn0.e30.'],
  ])('is refused when it is %s', async (_how, alter) => {
    const response = await retry('tools/call', { ...TRANSFER, requestState: alter(requestState) });

    expect(await answerOf(response)).toEqual(REFUSED);
    expect(runs).toBe(0);
  });

  it('is refused when it is no text', async () => {
    const response = await retry('tools/call', { ...TRANSFER, requestState: { asked: {} } });

    expect(await answerOf(response)).toMatchObject({ status: 200, body: { error: { code: -32602 } } });
    expect(runs).toBe(0);
  });

  it('is accepted until 10 minutes are over, and refused then', async () => {
    vi.setSystemTime(Date.now() + 599_000);
    const inTime = await retry('tools/call', TRANSFER);
    vi.setSystemTime(Date.now() + 1_001);
    const late = await retry('tools/call', TRANSFER);

    expect((await answerOf(inTime)).body).toHaveProperty('result.resultType', 'complete');
    expect(await answerOf(late)).toEqual(REFUSED);
  });

  it('is refused from another principal', async () => {
    const response = await retry('tools/call', TRANSFER, { 'x-user': 'eve' });

    expect(await answerOf(response)).toEqual(REFUSED);
    expect(runs).toBe(0);
  });

  it.each([
    ['tools/call', { ...TRANSFER, arguments: { to: 'eve', cents: 100 } }],
    ['tools/call', { ...TRANSFER, arguments: { to: 'ada', cents: 100_000 } }],
    ['tools/call', { ...TRANSFER, name: 'withdraw' }],
    ['prompts/get', TRANSFER],
  ])('is refused on another request: %s %j', async (method, params) => {
    const response = await retry(method, params);

    expect(await answerOf(response)).toEqual(REFUSED);
    expect(runs).toBe(0);
  });

  it('is accepted when the arguments merely stand in another order', async () => {
    const response = await retry('tools/call', { ...TRANSFER, arguments: { cents: 100, to: 'ada' } });

    expect((await answerOf(response)).body).toHaveProperty('result.resultType', 'complete');
  });

  it('is refused by a server that does not have the key', async () => {
    await using other = await createMcpTestApp(FixtureModule, { override: [[Authenticator, authenticator]] });
    const response = await statelessRequest(
      other.url,
      'tools/call',
      { ...TRANSFER, requestState, inputResponses },
      { id: 2, headers: { 'x-user': 'ada' }, meta: { [CAPABILITIES]: { elicitation: {} } } },
    );

    expect(await answerOf(response)).toEqual(REFUSED);
  });
});
