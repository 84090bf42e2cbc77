import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CurrentCall, McpCall, McpPrompt, McpRegistry, McpResource, McpTool } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const OTHER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A server with one tool that answers with a part of its call. */
async function serveLook(look: (call: McpCall) => unknown) {
  const app = await serve({});
  app.get(McpRegistry).addTool({ name: 'look', handler: (_input, call) => JSON.stringify(look(call) ?? null) });
  return app;
}
const seen = ({ content }: { content: unknown[] }): unknown => JSON.parse((content[0] as { text: string }).text);

describe.each(ERAS)('the call in the %s era', (era) => {
  it('knows what is called, and how', async () => {
    await using app = await serveLook((call) => ({
      method: call.method,
      target: call.target,
      era: call.era,
      revision: call.revision,
      id: typeof call.requestId,
      inSession: call.sessionId !== undefined,
    }));

    expect(seen(await app.client({ era }).call('look'))).toEqual({
      method: 'tools/call',
      target: 'look',
      era,
      revision: era === 'stateless' ? '2026-07-28' : '2025-11-25',
      id: 'number',
      inSession: era === 'session',
    });
  });

  it('knows who calls', async () => {
    await using app = await serveLook(({ principal: { scopes, roles = [], ...rest } }) => ({
      ...rest,
      scopes: [...scopes],
      roles: [...roles],
    }));
    const identity = { subject: 'ann', issuer: 'acme', client: 'desk', tenant: 'north', claims: { plan: 'gold' } };
    const principal = { ...identity, roles: ['admin'] };

    expect(seen(await app.client({ era, principal, scopes: ['read', 'write'] }).call('look'))).toEqual({
      ...principal,
      scopes: ['read', 'write'],
    });
    expect(seen(await app.client({ era }).call('look'))).toMatchObject({ subject: 'anonymous', issuer: 'anonymous' });
  });

  it('knows the headers of its request, in lower case', async () => {
    await using app = await serveLook(({ headers }) => headers['x-region']);
    const client = app.client({ era, headers: { 'X-Region': 'eu' } });

    expect(seen(await client.call('look'))).toBe('eu');
    expect(seen(await client.call('look', {}, { headers: { 'X-Region': 'us' } }))).toBe('us');
  });

  it('knows the client as it describes itself', async () => {
    await using app = await serveLook(({ client }) => client);
    const client = app.client({ era, name: 'desk', capabilities: { roots: {} } });

    expect(seen(await client.call('look'))).toEqual({
      info: { name: 'desk', version: '1.0.0' },
      capabilities: { roots: {} },
    });
  });

  it('has the _meta of its request, with keys that the server does not know', async () => {
    await using app = await serveLook(({ meta }) => meta);

    expect(
      seen(
        await app.client({ era }).call('look', {}, { meta: { 'acme/a': [1], 'io.modelcontextprotocol/new': true } }),
      ),
    ).toMatchObject({ 'acme/a': [1], 'io.modelcontextprotocol/new': true });
  });

  it('has the trace context of _meta, or else of the headers', async () => {
    await using app = await serveLook(({ trace }) => trace);
    const client = app.client({ era, headers: { traceparent: OTHER, tracestate: 'header=1' } });

    expect(seen(await client.call('look'))).toEqual({ traceparent: OTHER, tracestate: 'header=1' });
    expect(seen(await client.call('look', {}, { meta: { traceparent: TRACE, baggage: 'tenant=acme' } }))).toEqual({
      traceparent: TRACE,
      baggage: 'tenant=acme',
    });
  });

  it('is found by services far below the handler, whatever they wait for', async () => {
    @Injectable()
    class Audit {
      constructor(private readonly current: CurrentCall) {}
      async who(): Promise<string> {
        await delay(1);
        await Promise.resolve();
        const { target, principal } = this.current.get();
        return `${principal.subject} at ${target}`;
      }
    }
    @Injectable()
    class Repository {
      constructor(private readonly audit: Audit) {}
      find(): Promise<string> {
        return new Promise((resolve) => setImmediate(() => resolve(this.audit.who())));
      }
    }
    @Injectable()
    class Handlers {
      constructor(private readonly repository: Repository) {}
      @McpTool()
      tool(): Promise<string> {
        return this.repository.find();
      }
      @McpResource('orders://{id}')
      order(): Promise<string> {
        return this.repository.find();
      }
      @McpPrompt()
      prompt(): Promise<string> {
        return this.repository.find();
      }
      @McpTool()
      async *pieces(): AsyncGenerator<string> {
        yield await this.repository.find();
        yield `; ${await this.repository.find()}`;
      }
    }
    await using app = await serve({ providers: [Audit, Repository, Handlers] });
    const client = app.client({ era, principal: { subject: 'ann' } });

    expect((await client.call('tool')).content).toMatchObject([{ text: 'ann at tool' }]);
    expect((await client.read('orders://7')).contents).toMatchObject([{ text: 'ann at orders://7' }]);
    expect((await client.prompt('prompt')).messages).toMatchObject([{ content: { text: 'ann at prompt' } }]);
    expect((await client.call('pieces')).content).toMatchObject([{ text: 'ann at pieces; ann at pieces' }]);
  });

  it('is not there outside of one', async () => {
    @Injectable()
    class Audit {
      constructor(readonly current: CurrentCall) {}
    }
    await using app = await serve({ providers: [Audit] });
    const { current } = app.get(Audit);

    expect(current.find()).toBeUndefined();
    expect(() => current.get()).toThrow('No MCP call is running here. Use CurrentCall.find() where there may be none.');
  });
});
