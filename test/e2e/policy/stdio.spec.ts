import { PassThrough } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import {
  McpModule,
  McpRegistry,
  McpResource,
  McpTool,
  type Principal,
  Public,
  RequireRoles,
  RequireScopes,
  serveStdio,
} from '../../../src/index.js';
import { type Json, Lines, notification, request, stateless } from '../stdio/stdio-channel.js';

@Injectable()
class Tools {
  @McpTool()
  @RequireRoles('admin')
  close(): string {
    return 'closed';
  }
  @McpTool()
  @RequireScopes('b', 'a')
  refund(): string {
    return 'refunded';
  }
  @McpTool()
  @Public()
  hours(): string {
    return '9 to 5';
  }
  @McpResource('s://secret')
  @RequireRoles('admin')
  secret(): string {
    return 'secret';
  }
  @McpResource('s://open')
  open(): string {
    return 'open';
  }
}

function principal(roles: string[], ...scopes: string[]): Principal {
  return { issuer: 'local', subject: 'ann', scopes: new Set(scopes), roles: new Set(roles), claims: {} };
}

/** A channel of somebody; of nobody if there is no principal. */
async function channelOf(era: 'stateless' | 'session', who?: Principal) {
  const app = await NestFactory.createApplicationContext(
    { module: class StdioModule {}, imports: [McpModule.forRoot({})], providers: [Tools] },
    { logger: false },
  );
  const [input, output] = [new PassThrough(), new PassThrough()];
  const server = serveStdio(app, { input, output, ...(who && { principal: who }) });
  const lines = new Lines(output);
  const send = (message: Json) => input.write(`${JSON.stringify(message)}\n`);
  let lastId = 0;
  const ask = (method: string, params: Json = {}): Promise<Json> => {
    lastId += 1;
    send(era === 'stateless' ? stateless(lastId, method, params) : request(lastId, method, params));
    return lines.response(lastId);
  };
  if (era === 'session') {
    const clientInfo = { name: 'stdio-test', version: '1.0.0' };
    await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    send(notification('notifications/initialized'));
  }
  return {
    registry: app.get(McpRegistry),
    lines,
    send,
    ask,
    async [Symbol.asyncDispose]() {
      await server.close();
      await app.close();
    },
  };
}

const ERAS = ['stateless', 'session'] as const;
const errorOf = ({ error }: Json): unknown => error;

async function toolsOf({ ask }: Awaited<ReturnType<typeof channelOf>>): Promise<string[]> {
  const { result } = (await ask('tools/list')) as { result: { tools: { name: string }[] } };
  return result.tools.map(({ name }) => name);
}

describe.each(ERAS)('stdio in the %s era', (era) => {
  it('serves whoever started it, by what he may do', async () => {
    await using admin = await channelOf(era, principal(['admin'], 'a', 'b'));
    await using other = await channelOf(era, principal([]));

    expect(await toolsOf(admin)).toEqual(['close', 'hours', 'refund']);
    expect(await toolsOf(other)).toEqual(['hours']);
    expect(await admin.ask('tools/call', { name: 'close' })).toMatchObject({
      result: { content: [{ text: 'closed' }] },
    });
    expect(errorOf(await other.ask('tools/call', { name: 'close' }))).toEqual({
      code: -32602,
      message: 'Unknown tool: close',
    });
  });

  it('says which scopes are missing, without any of HTTP', async () => {
    await using channel = await channelOf(era, principal([], 'a'));

    expect(errorOf(await channel.ask('tools/call', { name: 'refund' }))).toEqual({
      code: 403,
      message: 'This needs the scopes: a b',
    });
  });

  it('has nothing that requires a role or a scope for nobody', async () => {
    await using channel = await channelOf(era);

    expect(await toolsOf(channel)).toEqual(['hours']);
    expect(errorOf(await channel.ask('tools/call', { name: 'close' }))).toMatchObject({ code: -32602 });
    expect(errorOf(await channel.ask('tools/call', { name: 'refund' }))).toMatchObject({ code: 401 });
  });

  it('tells of changes only to whom may see what changes', async () => {
    await using channel = await channelOf(era, principal([]));
    const uris = ['s://secret', 's://open'];
    if (era === 'session') {
      expect(errorOf(await channel.ask('resources/subscribe', { uri: 's://secret' }))).toEqual({
        code: -32002,
        message: 'Resource not found',
        data: { uri: 's://secret' },
      });
      await channel.ask('resources/subscribe', { uri: 's://open' });
    } else {
      channel.send(stateless('listen', 'subscriptions/listen', { notifications: { resourceSubscriptions: uris } }));
      await channel.lines.called('notifications/subscriptions/acknowledged');
    }
    for (const uri of uris) await channel.registry.resourceUpdated(uri);

    expect(await channel.lines.called('notifications/resources/updated')).toMatchObject({
      params: { uri: 's://open' },
    });
    expect(
      JSON.stringify(channel.lines.messages.filter(({ method }) => method === 'notifications/resources/updated')),
    ).not.toContain('secret');
  });
});
