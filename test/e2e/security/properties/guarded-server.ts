import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { McpModule, McpRegistry, createHttpAdapter } from '../../../../src/index.js';
import { CallLimits } from '../../../../src/mcp/limits/call-limits.js';
import { McpServer } from '../../../../src/mcp/mcp.providers.js';
import { MemorySink } from '../../../support/audit/memory-sink.js';
import { eventually } from '../../../support/eventually.js';
import { TEST_RESOURCE, TestIssuer } from '../../../support/oauth/test-issuer.js';
import { initialize, post, responseOf, statelessRequest } from '../../../support/wire.js';
import { EverythingModule, THROWN } from './everything.js';

/** Who calls. Both may use all there is but the other's notes, and what only auditors see. */
export const NAMES = ['alice', 'bob'] as const;
export type Name = (typeof NAMES)[number];

export type SessionRevision = '2025-03-26' | '2025-11-25';

/** A session as its client knows it. */
export interface OpenSession {
  readonly id: string;
  readonly revision: SessionRevision;
}

export interface GuardedServerOptions {
  /** Milliseconds that a question to a client of a session waits. Default 100, so that nothing stays open. */
  readonly askTimeoutMs?: number;
}

/** What is logged of handlers that fail and dawdle, and by Nest of uploads to other addresses that break off. */
const EXPECTED = [
  /^tools\/call Everything\.crash failed \(error /,
  /^Everything\.wait was stopped after 200 ms\./,
  /^Error: aborted\n.* ExceptionsHandler$/s,
];

/** A server with everything on: tokens, policies, limits, an audit; and a way to see whether it is as before. */
export class GuardedServer implements AsyncDisposable {
  /** What was logged, as text, whatever the level. */
  readonly logged: string[] = [];
  /** Rejections that nobody handled, and exceptions that nobody caught. */
  readonly unhandled: unknown[] = [];
  readonly audit = new MemorySink();
  readonly tokens: Record<Name, string> = { alice: '', bob: '' };
  readonly sessions = new Map<string, OpenSession>();
  port = 0;
  /** Ids of sessions that were deleted. */
  private readonly past: string[] = [];
  private app!: NestFastifyApplication;
  private readonly remember = (error: unknown): void => void this.unhandled.push(error);

  private constructor(
    private readonly issuer: TestIssuer,
    private readonly options: GuardedServerOptions,
  ) {}

  static async start(options: GuardedServerOptions = {}): Promise<GuardedServer> {
    const server = new GuardedServer(await TestIssuer.start(), options);
    await server.boot();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  get registry(): McpRegistry {
    return this.app.get(McpRegistry, { strict: false });
  }

  authorization(name: Name): Record<string, string> {
    return { authorization: `Bearer ${this.tokens[name]}` };
  }

  /** The session of somebody that requests are made for. */
  async session(name: Name, revision: SessionRevision): Promise<OpenSession> {
    const key = `${name} ${revision}`;
    const known = this.sessions.get(key);
    if (known) return known;
    const session = await this.openSession(name, revision);
    this.sessions.set(key, session);
    return session;
  }

  /** What nobody but who sent it may see again, wherever it is. */
  get secrets(): string[] {
    return [...Object.values(this.tokens), ...[...this.sessions.values()].map(({ id }) => id), ...this.past, THROWN];
  }

  /** Whatever came before: both eras serve, nothing runs, is open or held, and nothing went wrong unseen. */
  async expectWell(): Promise<void> {
    for (const name of NAMES) await this.expectServing(name);
    const { services } = this.app.get(McpServer, { strict: false });
    const { bulkheads } = this.app.get(CallLimits, { strict: false });
    await eventually(() => {
      const held = { calls: services.calls.size, streams: services.streams.size, inBulkheads: bulkheads.running };
      expect({ ...held, queued: bulkheads.waiting }).toEqual({ calls: 0, streams: 0, inBulkheads: 0, queued: 0 });
    });
    expect(this.unhandled).toEqual([]);
    expect(this.logged.filter((line) => !EXPECTED.some((expected) => expected.test(line)))).toEqual([]);
    // What a handler throws is for the log alone.
    const written = [...this.audit.lines, ...this.logged.map((line) => line.replaceAll(THROWN, ''))];
    const { secrets } = this;
    expect(written.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('unhandledRejection', this.remember);
    process.off('uncaughtExceptionMonitor', this.remember);
    this.app.getHttpServer().closeAllConnections();
    await this.app.close();
    await this.issuer[Symbol.asyncDispose]();
  }

  private async boot(): Promise<void> {
    for (const name of NAMES) this.tokens[name] = await this.issuer.token({ sub: name });
    const plenty = { perSecond: 1_000_000, burst: 1_000_000 };
    const options = {
      auth: { resource: TEST_RESOURCE, issuers: [{ issuer: this.issuer.issuer }], scopesSupported: ['mcp:read'] },
      limits: { principal: plenty, tenant: plenty, maxCallsPerPrincipal: 100_000 },
      audit: { to: [this.audit], signingKey: auditKey() },
      sessions: { store: { maxSessionsPerOwner: 100_000, maxSessions: 100_000 } },
      http: {
        drainGraceMs: 0,
        streamAfterMs: 50,
        askTimeoutMs: this.options.askTimeoutMs ?? 100,
        maxBodyBytes: 100_000,
        maxBatch: 5,
        allowedOrigins: ['https://app.example'],
      },
      callTimeoutMs: 200,
      pageSize: 3,
    };
    const log = (...said: unknown[]): void => void this.logged.push(said.map(textOf).join(' '));
    const testing = await Test.createTestingModule({ imports: [McpModule.forRoot(options), EverythingModule] })
      .setLogger({ log: () => undefined, warn: log, error: log, fatal: log })
      .compile();
    // What is sent in part is given up soon enough for a test, and late enough for a busy machine.
    const adapter = createHttpAdapter({ requestTimeoutMs: 3_000, headersTimeoutMs: 3_000 });
    this.app = testing.createNestApplication<NestFastifyApplication>(adapter);
    await this.app.listen(0, '127.0.0.1');
    this.port = (this.app.getHttpServer().address() as AddressInfo).port;
    process.on('unhandledRejection', this.remember);
    process.on('uncaughtExceptionMonitor', this.remember);
  }

  private async expectServing(name: Name): Promise<void> {
    const headers = this.authorization(name);
    const params = { name: 'mine', arguments: { marker: 'this' } };
    const content = [{ type: 'text', text: `${name} has this` }];
    const stateless = await statelessRequest(this.url, 'tools/call', params, { headers });
    expect(await responseOf(stateless)).toMatchObject({ id: 1, result: { content } });
    for (const revision of ['2025-03-26', '2025-11-25'] as const) {
      const session = await this.session(name, revision);
      // The id that all requests have: none of them may have left it marked as running.
      const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
      const answer = await post(this.url, JSON.stringify(call), this.headersOn(session, name));
      expect(await responseOf(answer)).toEqual({ jsonrpc: '2.0', id: 1, result: { content } });
    }
  }

  /** A request has deleted a session: the next one needs another. */
  forgetSessions(): void {
    this.past.push(...[...this.sessions.values()].map(({ id }) => id));
    this.sessions.clear();
  }

  /** The headers of a request on a session. */
  headersOn(session: OpenSession, name: Name): Record<string, string> {
    return {
      ...this.authorization(name),
      'mcp-session-id': session.id,
      'mcp-protocol-version': session.revision,
    };
  }

  async openSession(name: Name, revision: SessionRevision): Promise<OpenSession> {
    const capabilities = { elicitation: {}, sampling: {}, roots: {} };
    const response = await post(this.url, JSON.stringify(initialize(revision, capabilities)), this.authorization(name));
    expect(await response.json()).toMatchObject({ id: 0, result: { protocolVersion: revision } });
    return { id: response.headers.get('mcp-session-id') ?? '', revision };
  }
}

/** Without one of its own the audit warns at each start. */
function auditKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function textOf(value: unknown): string {
  if (value instanceof Error) return `${value.stack ?? ''} ${textOf(value.cause ?? '')}`;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
