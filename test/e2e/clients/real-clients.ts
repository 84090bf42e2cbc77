import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import type { ClientOptions } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Json } from '../../support/wire.js';

/** What the person, the model and the file system behind a client say. */
export interface Answers {
  readonly elicit?: (params: Json) => Json;
  readonly sample?: (params: Json) => Json;
  readonly roots?: () => Json[];
}

export interface CallOptions {
  readonly onprogress?: (progress: Json) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds. */
  readonly timeout?: number;
}

export interface Notification {
  readonly method: string;
  readonly params: Json;
}

/** The part of a client that tests use, whichever library is behind it. */
export interface RealClient extends AsyncDisposable {
  /** The revision it settled on. */
  readonly revision: string | undefined;
  /** What came on a stream, in order; progress excepted, which belongs to its call. */
  readonly notifications: readonly Notification[];
  /** All pages. */
  listTools(): Promise<Json[]>;
  listResources(): Promise<{ resources: unknown[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: unknown[] }>;
  listPrompts(): Promise<{ prompts: unknown[] }>;
  call(name: string, args?: Json, options?: CallOptions): Promise<Json>;
  read(uri: string): Promise<Json>;
  prompt(name: string, args?: Record<string, string>): Promise<Json>;
  complete(prompt: string, argument: string, value: string): Promise<string[]>;
  /** Asks for log messages: of the session, or of each later call. */
  wantLogs(level: 'debug' | 'warning'): Promise<void>;
  /** Asks for changes of lists and of a resource; resolves when they are certain to come. */
  subscribe(uri: string): Promise<Subscription>;
}

export interface Subscription {
  /** Who ended it, in the end. Absent in the sessions era, where it survives its connection. */
  readonly closed?: Promise<'local' | 'graceful' | 'remote'>;
  close(): Promise<void>;
}

export interface ClientKind {
  readonly name: string;
  readonly era: 'stateless' | 'session';
  readonly revision: string;
  /** What its user sees of "no such resource": version 2 translates the code of the sessions era. */
  readonly notFoundCode: number;
  connect(url: string, answers?: Answers): Promise<RealClient>;
}

const INFO = { name: 'real-client', version: '1.0.0' };
/** Quick, so that a test need not wait for what the server's `retry` does not set. */
const RECONNECT = {
  initialReconnectionDelay: 20,
  maxReconnectionDelay: 100,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 20,
};

function capabilities({ elicit, sample, roots }: Answers) {
  return { ...(elicit && { elicitation: {} }), ...(sample && { sampling: {} }), ...(roots && { roots: {} }) };
}

async function connectV2(
  mode: NonNullable<ClientOptions['versionNegotiation']>['mode'],
  url: string,
  answers: Answers,
): Promise<RealClient> {
  const client = new ClientV2(INFO, {
    capabilities: capabilities(answers),
    ...(mode !== undefined && { versionNegotiation: { mode } }),
  });
  const { elicit, sample, roots } = answers;
  if (elicit) client.setRequestHandler('elicitation/create', ({ params }) => elicit(params as Json) as never);
  if (sample) client.setRequestHandler('sampling/createMessage', ({ params }) => sample(params as Json) as never);
  if (roots) client.setRequestHandler('roots/list', () => ({ roots: roots() }) as never);

  const notifications: Notification[] = [];
  client.fallbackNotificationHandler = async ({ method, params = {} }) => void notifications.push({ method, params });
  await client.connect(new TransportV2(new URL(url), { reconnectionOptions: RECONNECT }));
  const stateless = client.getProtocolEra() === 'modern';
  let logLevel: string | undefined;
  const meta = () => (logLevel === undefined ? {} : { _meta: { 'io.modelcontextprotocol/logLevel': logLevel } });

  return {
    revision: client.getNegotiatedProtocolVersion(),
    notifications,
    listTools: async () => (await client.listTools()).tools,
    listResources: () => client.listResources(),
    listResourceTemplates: () => client.listResourceTemplates(),
    listPrompts: () => client.listPrompts(),
    call: (name, args = {}, options = {}) => client.callTool({ name, arguments: args, ...meta() }, options),
    read: (uri) => client.readResource({ uri }),
    prompt: (name, args = {}) => client.getPrompt({ name, arguments: args }),
    complete: async (name, argument, value) => {
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name },
        argument: { name: argument, value },
      });
      return completion.values;
    },
    wantLogs: async (level) => {
      if (stateless) logLevel = level;
      else await client.setLoggingLevel(level);
    },
    subscribe: async (uri) => {
      if (!stateless) {
        await client.subscribeResource({ uri });
        return { close: async () => void (await client.unsubscribeResource({ uri })) };
      }
      const subscription = await client.listen({
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: [uri],
      });
      return { closed: subscription.closed, close: () => subscription.close() };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function connectV1(url: string, answers: Answers): Promise<RealClient> {
  const client = new ClientV1(INFO, { capabilities: capabilities(answers) });
  const { elicit, sample, roots } = answers;
  if (elicit) client.setRequestHandler(ElicitRequestSchema, ({ params }) => elicit(params as Json) as never);
  if (sample) client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => sample(params as Json) as never);
  if (roots) client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: roots() }));

  const notifications: Notification[] = [];
  client.fallbackNotificationHandler = async ({ method, params = {} }) => void notifications.push({ method, params });
  const transport = new TransportV1(new URL(url), { reconnectionOptions: RECONNECT });
  await client.connect(transport);

  return {
    revision: transport.protocolVersion,
    notifications,
    listTools: async () => {
      const tools: Json[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.listTools(cursor === undefined ? {} : { cursor });
        tools.push(...page.tools);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return tools;
    },
    listResources: () => client.listResources(),
    listResourceTemplates: () => client.listResourceTemplates(),
    listPrompts: () => client.listPrompts(),
    call: (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, CallToolResultSchema, options),
    read: (uri) => client.readResource({ uri }),
    prompt: (name, args = {}) => client.getPrompt({ name, arguments: args }),
    complete: async (name, argument, value) => {
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name },
        argument: { name: argument, value },
      });
      return completion.values;
    },
    wantLogs: async (level) => void (await client.setLoggingLevel(level)),
    subscribe: async (uri) => {
      await client.subscribeResource({ uri });
      return { close: async () => void (await client.unsubscribeResource({ uri })) };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The clients of the field, with the revision each must settle on. */
export const CLIENTS: readonly ClientKind[] = [
  {
    name: 'SDK v2, auto',
    era: 'stateless',
    revision: '2026-07-28',
    notFoundCode: -32602,
    connect: (url, answers = {}) => connectV2('auto', url, answers),
  },
  {
    name: 'SDK v2, pinned to 2026-07-28',
    era: 'stateless',
    revision: '2026-07-28',
    notFoundCode: -32602,
    connect: (url, answers = {}) => connectV2({ pin: '2026-07-28' }, url, answers),
  },
  {
    name: 'SDK v2, legacy',
    era: 'session',
    revision: '2025-11-25',
    notFoundCode: -32602,
    connect: (url, answers = {}) => connectV2('legacy', url, answers),
  },
  {
    name: 'SDK v1',
    era: 'session',
    revision: '2025-11-25',
    notFoundCode: -32002,
    connect: (url, answers = {}) => connectV1(url, answers),
  },
];
