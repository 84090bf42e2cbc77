import { randomUUID } from 'node:crypto';
import { WireSession, statelessRequest } from '../../support/wire.js';
import { CLIENTS, type RealClient } from '../../e2e/clients/real-clients.js';
import { Load } from '../../e2e/cluster/load.js';
import { listening, read, streamIn } from '../../e2e/cluster/streaming.js';
import { at } from '../../e2e/cluster/test-cluster.js';

const TEXT = 'The court found that the contract was breached. The plaintiff claims damages.';

/** What every client does in turn. Notes are kept by the replica that was told of them: none is read by its id. */
const WORK: readonly ((client: RealClient, n: number) => Promise<unknown>)[] = [
  (client) => client.listTools(),
  (client) => client.call('analyzeDocument', { text: TEXT, domain: 'legal' }, { onprogress: () => undefined }),
  (client, n) => client.call('addNote', { title: `Note ${n}`, text: 'Written under load.', tags: ['load'] }),
  (client) => client.call('searchNotes', { words: 'load' }),
  (client) => client.call('listTags'),
  (client) => client.read('notes://list'),
  (client) => client.prompt('summarizeNotes'),
  (client) => client.complete('summarizeNotes', 'tag', 'l'),
];

/** Requests that must be answered with what they deserve, by the status that they get. */
const RAW: readonly ((url: string) => Promise<[status: number, expected: number]>)[] = [
  async (url) => [await statusOf(statelessRequest(url, 'tools/list')), 200],
  // What the caller does wrong is said in JSON-RPC.
  async (url) => [await statusOf(statelessRequest(url, 'tools/call', { name: 'addNote', arguments: {} })), 200],
  async (url) => [await statusOf(statelessRequest(url, 'tools/call', { name: randomUUID(), arguments: {} })), 200],
  async (url) => {
    const session = await WireSession.open(url);
    await session.delete();
    return [await statusOf(session.request('ping')), 404];
  },
  async (url) => {
    const session = await WireSession.open(url);
    const call = await streamIn(session, 'analyzeDocument', { text: TEXT, domain: 'legal' }, 1);
    await read(call, 1);
    call.cut();
    const resumed = await listening(at(url, session), call.lastEventId);
    const { status } = resumed.response;
    resumed.cut();
    await session.delete();
    return [status, 200];
  },
];

/** Clients of both eras, official ones and bare requests, at work through nginx. */
export class Traffic implements AsyncDisposable {
  private constructor(
    private readonly clients: readonly RealClient[],
    private readonly loads: readonly Load[],
  ) {}

  /**
   * @param url the MCP endpoint, through nginx
   * @param addresses host and port of each replica
   */
  static async start(url: string, addresses: readonly string[]): Promise<Traffic> {
    // Each keeps its own notes, and sums up none if it has none.
    for (const address of addresses) {
      const note = { title: 'The first', text: 'So that there is one.', tags: ['load'] };
      await statelessRequest(`http://${address}/mcp`, 'tools/call', { name: 'addNote', arguments: note });
    }
    const clients = await Promise.all(CLIENTS.map((kind) => kind.connect(url)));
    for (const client of clients) await client.subscribe('notes://list');
    const loads = [
      ...clients.map((client) => new Load((n) => (WORK[n % WORK.length] ?? WORK[0]!)(client, n), { everyMs: 30 })),
      new Load(
        async (n) => {
          const index = n % RAW.length;
          const [status, expected] = await RAW[index]!(url);
          if (status !== expected) throw new Error(`Request ${index} was answered with ${status}, not ${expected}.`);
        },
        { everyMs: 30 },
      ),
    ];
    return new Traffic(clients, loads);
  }

  get done(): number {
    return this.loads.reduce((sum, { done }) => sum + done, 0);
  }

  get failures(): readonly string[] {
    return this.loads.flatMap(({ failures }) => failures);
  }

  async stop(): Promise<void> {
    await Promise.all(this.loads.map((load) => load.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Promise.allSettled(this.clients.map((client) => client[Symbol.asyncDispose]()));
  }
}

async function statusOf(sent: Promise<Response>): Promise<number> {
  const response = await sent;
  await response.text();
  return response.status;
}
