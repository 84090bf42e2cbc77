import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioClientTransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompiledServer } from '../../support/compiled-server.js';

const ME = { name: 'sdk-test', version: '1.0.0' };
const CAPABLE = { capabilities: { elicitation: {} } };

/** Some tools, served as the platform serves its own. */
const FIXTURE = 'test/e2e/stdio/server.fixture.ts';

let compiled: CompiledServer;
beforeAll(() => {
  compiled = new CompiledServer([FIXTURE]);
});
afterAll(() => compiled[Symbol.dispose]());

/** What the tests do with either client, and the faults it found on stdout. */
interface Connected extends AsyncDisposable {
  readonly client: Pick<Client, 'listTools' | 'callTool' | 'readResource'>;
  readonly faults: readonly Error[];
  readonly updated: Promise<string>;
  subscribe(): Promise<unknown>;
}

async function connectV2(mode: 'auto' | 'legacy'): Promise<Connected & { readonly client: Client }> {
  const client = new Client(ME, { ...CAPABLE, versionNegotiation: { mode } });
  const faults: Error[] = [];
  client.onerror = (error) => faults.push(error);
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));
  const updated = new Promise<string>((resolve) => {
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri));
  });
  const command = { command: process.execPath, args: [compiled.script(FIXTURE)], stderr: 'ignore' as const };
  await client.connect(new StdioClientTransport(command));
  return {
    client,
    faults,
    updated,
    subscribe: () =>
      mode === 'auto'
        ? client.listen({ resourceSubscriptions: ['notes://one'] })
        : client.subscribeResource({ uri: 'notes://one' }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function connectV1(): Promise<Connected> {
  const client = new ClientV1(ME, CAPABLE);
  const faults: Error[] = [];
  client.onerror = (error) => faults.push(error);
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }));
  const updated = new Promise<string>((resolve) => {
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri));
  });
  await client.connect(
    new StdioClientTransportV1({ command: process.execPath, args: [compiled.script(FIXTURE)], stderr: 'ignore' }),
  );
  return {
    // The clients differ in how they spell their types, not in what these methods do.
    client: {
      listTools: () => client.listTools(),
      readResource: (params: { uri: string }) => client.readResource(params),
      callTool: (params: { name: string }, options?: object) => client.callTool(params, undefined, options),
    } as Connected['client'],
    faults,
    updated,
    subscribe: () => client.subscribeResource({ uri: 'notes://one' }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

describe.each([
  ['v2, auto', () => connectV2('auto')],
  ['v2, legacy', () => connectV2('legacy')],
  ['v1', connectV1],
] as const)('the SDK client %s over stdio', (_name, connect) => {
  let connected: Connected;
  beforeAll(async () => {
    connected = await connect();
  });
  afterAll(async () => {
    await connected[Symbol.asyncDispose]();
    expect(connected.faults).toEqual([]);
  });

  it('lists, reads, and calls, undisturbed by what tools print', async () => {
    const { client, faults } = connected;

    const { tools } = await client.listTools();
    const { contents } = await client.readResource({ uri: 'notes://one' });
    const result = await client.callTool({ name: 'noisy', arguments: {} });

    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['count', 'greet', 'noisy']));
    expect(contents).toMatchObject([{ uri: 'notes://one', text: 'a note' }]);
    expect(result.content).toEqual([{ type: 'text', text: 'quiet' }]);
    expect(faults).toEqual([]);
  });

  it('hears progress', async () => {
    const steps: number[] = [];

    const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress);
    await connected.client.callTool({ name: 'count', arguments: {} }, { onprogress });

    expect(steps).toEqual([1, 2, 3]);
  });

  it('answers a question of a tool', async () => {
    const result = await connected.client.callTool({ name: 'greet', arguments: {} });

    expect(result.content).toEqual([{ type: 'text', text: 'Hello Ada' }]);
  });

  it('cancels a call and goes on', async () => {
    const { client } = connected;
    const cancelling = new AbortController();

    const hanging = client.callTool(
      { name: 'hang', arguments: {} },
      { signal: cancelling.signal, onprogress: () => cancelling.abort() },
    );

    await expect(hanging).rejects.toThrow();
    expect(await client.callTool({ name: 'noisy', arguments: {} })).toHaveProperty('content');
  });

  it('is told of an update that it subscribed to', async () => {
    await connected.subscribe();
    await connected.client.callTool({ name: 'change', arguments: {} });

    expect(await connected.updated).toBe('notes://one');
  });
});

it('the SDK client v2 takes the end of a subscription by the server for a graceful one', async () => {
  await using connected = await connectV2('auto');
  const subscription = await connected.client.listen({ toolsListChanged: true });
  const { pid } = connected.client.transport as StdioClientTransport;
  expect(connected.client.getNegotiatedProtocolVersion()).toBe('2026-07-28');

  process.kill(pid!, 'SIGTERM');

  expect(await subscription.closed).toBe('graceful');
  expect(connected.faults).toEqual([]);
});
