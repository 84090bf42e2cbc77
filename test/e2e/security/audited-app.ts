import { Injectable, Module } from '@nestjs/common';
import { onTestFinished } from 'vitest';
import * as z from 'zod';
import {
  type AccessPolicy,
  type AccessRequest,
  AuditFields,
  type AuditOptions,
  Concurrency,
  McpCall,
  McpCompletion,
  McpError,
  type McpOptions,
  McpPrompt,
  McpResource,
  McpTool,
  RateLimit,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
  ToolError,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { MemorySink } from '../../support/audit/memory-sink.js';
import { eventually } from '../../support/eventually.js';
import type { Json } from '../../support/wire.js';

/** Everybody knows of it, and nobody may use it. */
@Injectable()
class NotNow implements AccessPolicy {
  allows({ action }: AccessRequest): boolean {
    return action === 'see';
  }
}

function abortOf({ signal }: McpCall): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

/** Primitives that end in each way there is, and all that they know is a secret. */
@Injectable()
export class Ledger {
  ran = 0;
  waiting = 0;

  @McpTool({ input: z.object({ orderId: z.number(), card: z.string() }) })
  @AuditFields('orderId')
  refund({ card }: { card: string }): string {
    this.ran += 1;
    return `SECRET result of ${card}`;
  }

  @McpTool()
  told(): string {
    throw new ToolError('SECRET text');
  }

  @McpTool()
  broken(): string {
    throw new Error('SECRET error');
  }

  @McpTool()
  forbidding(): string {
    throw new McpError('INVALID_PARAMS', 'SECRET message', { secret: 'SECRET data' });
  }

  @McpTool()
  waits(call: McpCall): Promise<string> {
    this.waiting += 1;
    return abortOf(call).finally(() => (this.waiting -= 1));
  }

  @McpTool({ timeoutMs: 20 })
  slow(call: McpCall): Promise<string> {
    return abortOf(call);
  }

  @McpTool()
  async asks(call: McpCall): Promise<string> {
    await call.elicit(z.object({ word: z.string() }), 'SECRET question');
    return 'done';
  }

  @McpTool()
  @RequireRoles('admin')
  hidden(): string {
    return 'SECRET';
  }

  @McpTool()
  @RequireScopes('pay')
  scoped(): string {
    return 'SECRET';
  }

  @McpTool()
  @RequirePolicy(NotNow)
  policed(): string {
    return 'SECRET';
  }

  @McpTool()
  @RateLimit({ perHour: 1 })
  rare(): string {
    return 'SECRET';
  }

  @McpTool()
  @Concurrency(1)
  narrow(call: McpCall): Promise<string> {
    this.waiting += 1;
    return abortOf(call).finally(() => (this.waiting -= 1));
  }

  @McpTool()
  @Concurrency({ max: 1, queue: 1, queueMs: 60_000 })
  queued(call: McpCall): Promise<string> {
    return this.narrow(call);
  }

  @McpTool()
  async steps(call: McpCall): Promise<string> {
    call.progress(1);
    return 'SECRET';
  }

  @McpResource('orders://{id}')
  order(): string {
    return 'SECRET order';
  }

  @McpResource('rates://today')
  rates(): string {
    return 'SECRET rates';
  }

  @McpPrompt({ input: z.object({ city: z.string() }) })
  travel(): string {
    return 'SECRET prompt';
  }

  @McpCompletion({ prompt: 'travel', argument: 'city' })
  cities(): string[] {
    return ['SECRET city'];
  }
}

export const ADA = { issuer: 'https://id.example', subject: 'ada', client: 'desk', tenant: 'acme' };

/** A server that records what it does. */
export class AuditedApp {
  private constructor(
    readonly app: McpTestApp,
    readonly sink: MemorySink,
  ) {}

  static async boot(audit: Partial<AuditOptions> = {}, options: McpOptions = {}): Promise<AuditedApp> {
    const sink = new MemorySink();
    @Module({ providers: [Ledger, NotNow] })
    class LedgerModule {}
    const app = await createMcpTestApp(LedgerModule, {
      options: { ...options, audit: { to: [sink], replica: 'r1', ...audit } },
      logger: false,
    });
    onTestFinished(() => app.close());
    return new AuditedApp(app, sink);
  }

  get url(): string {
    return this.app.url;
  }

  get ledger(): Ledger {
    return this.app.get(Ledger);
  }

  /** What was recorded, the oldest first. */
  get operations(): Json[] {
    return this.sink.entries.filter(({ type }) => type === 'operation');
  }

  /**
   * What is recorded of some work. That nothing comes after it is known from something that is recorded later.
   * @param count entries to wait for
   */
  async during(work: () => Promise<unknown>, count = 1): Promise<Json[]> {
    const before = this.operations.length;
    await work();
    await eventually(() => {
      if (this.operations.length < before + count) throw new Error(`Only ${this.operations.length - before} entries.`);
    });
    const marker = this.app.client({ principal: { subject: 'marker' } });
    await marker.request('prompts/list');
    const isMarker = ({ subject }: Json): boolean => subject === 'marker';
    await eventually(() => {
      if (!this.operations.slice(before).some(isMarker)) throw new Error('The marker is not there.');
    });
    return this.operations.slice(before).filter((entry) => !isMarker(entry));
  }
}
