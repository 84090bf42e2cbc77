import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpTool } from '../../../src/index.js';
import { WireSession, responseOf, statelessRequest } from '../../support/wire.js';
import { SessionApp, errorFrame, resultFrame, toolError } from './session-app.js';

const SESSION_REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25'] as const;

const Size = { type: 'object', properties: { size: { type: 'integer' } }, required: ['size'] } as const;
const Sizes = { type: 'array', items: { type: 'integer' } } as const;
const Total = { type: 'object', properties: { total: { type: 'integer' } }, required: ['total'] } as const;

@Injectable()
class Tools {
  @McpTool({ input: Size })
  order() {
    return 'ordered';
  }

  @McpTool({ output: Sizes })
  sizes(): number[] {
    return [38, 39];
  }

  @McpTool({ output: Total })
  total() {
    return { total: 7 };
  }
}

describe('invalid arguments of a tool', () => {
  it.each(['2025-03-26', '2025-06-18'])('are an error of the protocol in a %s session', async (revision) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const response = await session.request('tools/call', { name: 'order', arguments: { size: 'big' } });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(errorFrame(1, -32602, expect.stringContaining('size')));
  });

  it('are told to the model in a 2025-11-25 session', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25');

    const response = await session.request('tools/call', { name: 'order', arguments: { size: 'big' } });

    expect(await response.json()).toEqual(resultFrame(1, toolError(expect.stringContaining('size') as string)));
  });
});

describe('a tool whose output is a list', () => {
  it.each(SESSION_REVISIONS)('wraps it into an object for a %s session', async (revision) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const called = await session.request('tools/call', { name: 'sizes' });
    const listed = await session.request('tools/list');

    expect(await called.json()).toEqual(
      resultFrame(1, { content: [{ type: 'text', text: '[38,39]' }], structuredContent: { result: [38, 39] } }),
    );
    const { result } = (await listed.json()) as { result: { tools: { name: string; outputSchema?: unknown }[] } };
    expect(result.tools.find(({ name }) => name === 'sizes')?.outputSchema).toEqual({
      type: 'object',
      properties: { result: { type: 'array', items: { type: 'integer' } } },
      required: ['result'],
    });
  });

  it('leaves it as it is without a session', async () => {
    await using app = await SessionApp.boot([Tools]);

    const called = await responseOf(await statelessRequest(app.url, 'tools/call', { name: 'sizes' }));

    expect(called).toMatchObject({ result: { structuredContent: [38, 39] } });
  });
});

describe('a tool whose output is an object', () => {
  it.each(SESSION_REVISIONS)('leaves it as it is for a %s session', async (revision) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const response = await session.request('tools/call', { name: 'total' });

    expect(await response.json()).toEqual(
      resultFrame(1, { content: [{ type: 'text', text: '{"total":7}' }], structuredContent: { total: 7 } }),
    );
  });
});

describe('what came with the stateless revision', () => {
  it.each(SESSION_REVISIONS)('stays away from the results of a %s session', async (revision) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const listed = await session.request('tools/list');
    const called = await session.request('tools/call', { name: 'total' });

    expect(Object.keys(((await listed.json()) as { result: object }).result)).toEqual(['tools']);
    expect(Object.keys(((await called.json()) as { result: object }).result)).toEqual(['content', 'structuredContent']);
  });
});
