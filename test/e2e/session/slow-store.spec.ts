import { Injectable, Module } from '@nestjs/common';
import { expect, it } from 'vitest';
import { McpRegistry, McpResource, SessionStore } from '../../../src/index.js';
import { MemorySessionStore } from '../../../src/mcp/session/memory/memory-session-store.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { WireSession, sseEvents } from '../../support/wire.js';

@Injectable()
class Orders {
  @McpResource('orders://1')
  order(): string {
    return 'open';
  }
}

@Module({ providers: [Orders] })
class OrdersModule {}

/** A store a network away: what watches a record begins to do so only when it is told to. */
class SlowStore extends MemorySessionStore {
  begin!: () => void;
  private tellAsked!: () => void;
  /** Resolves when a stream wants to watch; `begin` lets it. */
  readonly asked = new Promise<void>((resolve) => (this.tellAsked = resolve));
  private readonly begun = new Promise<void>((resolve) => (this.begin = resolve));

  override async watch(...args: Parameters<MemorySessionStore['watch']>): Promise<() => void> {
    this.tellAsked();
    await this.begun;
    return super.watch(...args);
  }
}

it('hears of a resource that was subscribed to while the stream was being opened', async () => {
  const store = new SlowStore();
  await using app = await createMcpTestApp(OrdersModule, { override: [[SessionStore, store]] });
  const session = await WireSession.open(app.url);
  const stream = await session.get();
  await store.asked;

  await session.request('resources/subscribe', { uri: 'orders://1' });
  store.begin();
  await app.get(McpRegistry).resourceUpdated('orders://1');

  for await (const { data } of sseEvents(stream)) {
    if (data === '') continue;
    expect(data).toBe('{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"orders://1"}}');
    break;
  }
  store.close();
});
