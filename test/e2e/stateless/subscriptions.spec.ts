import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { type McpOptions, McpRegistry, McpResource, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { type Json, type SseEvent, sseEvents, sseMessages, statelessRequest } from '../../support/wire.js';
import { SUBSCRIPTION_ID, answerOf } from './requests.js';

@Injectable()
class Fixtures {
  @McpTool()
  echo() {
    return 'Done.';
  }

  @McpResource('notes://{id}')
  note({ id }: { id: string }) {
    return id;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

/** An open subscription, past its acknowledgement. */
class Subscription implements AsyncDisposable {
  private constructor(
    private readonly events: AsyncGenerator<SseEvent>,
    readonly acknowledged: Json,
  ) {}

  static async open(app: McpTestApp, notifications: Json, id: unknown = 1): Promise<Subscription> {
    const events = sseEvents(await statelessRequest(app.url, 'subscriptions/listen', { notifications }, { id }));
    return new Subscription(events, await messageOf(events));
  }

  next(): Promise<Json> {
    return messageOf(this.events);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.events.return(undefined);
  }
}

async function messageOf(events: AsyncGenerator<SseEvent>): Promise<Json> {
  const { value } = (await events.next()) as { value: SseEvent };
  return JSON.parse(value.data) as Json;
}

const boot = (options: McpOptions = {}): Promise<McpTestApp> => createMcpTestApp(FixtureModule, { options });
const notification = (method: string, id: unknown = 1, params: Json = {}): Json => ({
  jsonrpc: '2.0',
  method,
  params: { ...params, _meta: { [SUBSCRIPTION_ID]: id } },
});

/** Changes the list of tools, of prompts or of resources. */
function change(app: McpTestApp, what: 'tools' | 'prompts' | 'resources'): void {
  const registry = app.get(McpRegistry);
  const handler = (): string => 'new';
  if (what === 'tools') registry.addTool({ name: 'fresh', handler });
  else if (what === 'prompts') registry.addPrompt({ name: 'fresh', handler });
  else registry.addResource({ uri: 'fresh://one', name: 'fresh', handler });
}

describe('subscriptions/listen', () => {
  it.each(['sub-1', '0', '', 0, 7])('acknowledges first, under the request id %j', async (id) => {
    await using app = await boot();
    const notifications = { toolsListChanged: true, resourceSubscriptions: ['notes://1', 'notes://2'] };

    await using subscription = await Subscription.open(app, notifications, id);

    expect(subscription.acknowledged).toEqual(
      notification('notifications/subscriptions/acknowledged', id, { notifications }),
    );
  });

  it('acknowledges what it delivers and leaves out what it does not know or was not asked for', async () => {
    await using app = await boot();
    const asked = { toolsListChanged: true, promptsListChanged: false, weatherChanged: true, rootsListChanged: true };

    await using subscription = await Subscription.open(app, asked);

    expect(subscription.acknowledged['params']).toMatchObject({ notifications: { toolsListChanged: true } });
    expect(Object.keys((subscription.acknowledged['params'] as Json)['notifications'] as Json)).toHaveLength(1);
  });

  it.each(['tools', 'prompts', 'resources'] as const)('tells of a changed list of %s under its id', async (what) => {
    await using app = await boot();
    await using subscription = await Subscription.open(app, { [`${what}ListChanged`]: true }, 'sub');

    change(app, what);

    expect(await subscription.next()).toEqual(notification(`notifications/${what}/list_changed`, 'sub'));
  });

  it('tells of the removal of a tool too', async () => {
    await using app = await boot();
    const registration = app.get(McpRegistry).addTool({ name: 'short-lived', handler: () => 'x' });
    await using subscription = await Subscription.open(app, { toolsListChanged: true });

    registration.remove();

    expect(await subscription.next()).toEqual(notification('notifications/tools/list_changed'));
  });

  it('tells of the resources it names when they are updated, and of no others', async () => {
    await using app = await boot();
    const registry = app.get(McpRegistry);
    await using subscription = await Subscription.open(app, { resourceSubscriptions: ['notes://1', 'notes://3'] });

    for (const id of [2, 3, 10, 1]) await registry.resourceUpdated(`notes://${id}`);

    const updated = 'notifications/resources/updated';
    expect(await subscription.next()).toEqual(notification(updated, 1, { uri: 'notes://3' }));
    expect(await subscription.next()).toEqual(notification(updated, 1, { uri: 'notes://1' }));
  });

  it('delivers nothing that was not asked for', async () => {
    await using app = await boot();
    await using subscription = await Subscription.open(app, { promptsListChanged: true, toolsListChanged: false });

    change(app, 'tools');
    change(app, 'resources');
    await app.get(McpRegistry).resourceUpdated('notes://1');
    change(app, 'prompts');

    expect(await subscription.next()).toEqual(notification('notifications/prompts/list_changed'));
  });

  it('holds several subscriptions of a client, each with its id and filter', async () => {
    await using app = await boot();
    await using tools = await Subscription.open(app, { toolsListChanged: true }, 1);
    await using both = await Subscription.open(app, { toolsListChanged: true, promptsListChanged: true }, '1');

    change(app, 'prompts');
    change(app, 'tools');

    expect(await tools.next()).toEqual(notification('notifications/tools/list_changed', 1));
    expect(await both.next()).toEqual(notification('notifications/prompts/list_changed', '1'));
    expect(await both.next()).toEqual(notification('notifications/tools/list_changed', '1'));
  });

  it('frees the place of a subscription that its client closes', async () => {
    await using app = await boot({ http: { maxStreams: 1 } });
    const listen = (): Promise<Response> =>
      statelessRequest(app.url, 'subscriptions/listen', { notifications: { toolsListChanged: true } });
    const first = await listen();
    const refused = await listen();

    await first.body?.cancel();
    const admitted = await eventually(async () => {
      const response = await listen();
      if (response.status !== 200) throw new Error(await response.text());
      return response;
    });

    expect(refused.headers.get('retry-after')).toMatch(/^[123]$/);
    expect(await answerOf(refused)).toMatchObject({ status: 503, body: { id: 1, error: { code: 503 } } });
    change(app, 'tools');
    await admitted.body?.cancel();
  });

  it('starts afresh: what changed while nobody listened is not delivered', async () => {
    await using app = await boot();
    const all = { toolsListChanged: true, promptsListChanged: true };
    await using earlier = await Subscription.open(app, all);
    await earlier[Symbol.asyncDispose]();
    change(app, 'tools');

    await using later = await Subscription.open(app, { promptsListChanged: true }, 2);
    change(app, 'prompts');

    expect(await later.next()).toEqual(notification('notifications/prompts/list_changed', 2));
  });

  it.each(['sub-1', 0])('ends with a complete result under its id %j when the server stops', async (id) => {
    const app = await boot();
    const params = { notifications: { toolsListChanged: true } };
    const response = await statelessRequest(app.url, 'subscriptions/listen', params, { id });

    const [messages] = await Promise.all([sseMessages(response), app.close()]);

    expect(messages).toEqual([
      notification('notifications/subscriptions/acknowledged', id, params),
      {
        jsonrpc: '2.0',
        id,
        result: {
          resultType: 'complete',
          _meta: {
            [SUBSCRIPTION_ID]: id,
            'io.modelcontextprotocol/serverInfo': { name: 'rookery', version: '0.0.0' },
          },
        },
      },
    ]);
  });

  it.each([
    ['no filter', {}],
    ['a filter that is no object', { notifications: ['toolsListChanged'] }],
    ['a flag that is no boolean', { notifications: { toolsListChanged: 'yes' } }],
    ['URIs that are no list', { notifications: { resourceSubscriptions: 'notes://1' } }],
    ['URIs that are no texts', { notifications: { resourceSubscriptions: [1] } }],
    ['more URIs than allowed', { notifications: { resourceSubscriptions: ['notes://1', 'notes://2', 'notes://3'] } }],
  ])('refuses %s', async (_what, params) => {
    await using app = await boot({ http: { maxSubscriptions: 2 } });

    const response = await statelessRequest(app.url, 'subscriptions/listen', params);

    expect(await answerOf(response)).toMatchObject({ status: 200, body: { id: 1, error: { code: -32602 } } });
  });
});
