import { Injectable, Module } from '@nestjs/common';
import { z } from 'zod';
import {
  type AccessPolicy,
  type AccessRequest,
  type CompletionInput,
  Concurrency,
  McpCall,
  McpCompletion,
  McpPrompt,
  McpResource,
  McpTool,
  RateLimit,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../../../src/index.js';
import type { Json } from '../../../support/wire.js';

/** What a handler throws; nobody may hear of it. */
export const THROWN = 'postgres://app:hunter2@db.internal/orders';

/** Asked of a note: whose it is says the end of its URI. */
@Injectable()
class OwnNotes implements AccessPolicy {
  allows({ principal, name, arguments: given }: AccessRequest): boolean {
    if (name !== 'notes://{owner}') return name === `notes://fixed/${principal.subject}`;
    return given === undefined || given['owner'] === principal.subject;
  }
}

const ORDER = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    limit: { type: 'integer', 'x-mcp-header': 'Limit' },
    secret: { type: 'string' },
  },
} as const;

/** One of each thing that a server can have, with rules and limits on some. None repeats its argument `secret`. */
@Injectable()
class Everything {
  @McpTool({ input: ORDER })
  @RequireScopes('mcp:read')
  order({ region }: { region?: string }): string {
    return `to ${region ?? 'nowhere'}`;
  }

  @McpTool({
    input: z.looseObject({ quantity: z.number().int().min(1).optional() }),
    output: z.object({ keys: z.int() }),
  })
  count(input: Json): { keys: number } {
    return { keys: Object.keys(input).length };
  }

  @McpTool({ input: z.looseObject({}) })
  async narrate(_input: Json, call: McpCall): Promise<string> {
    call.progress(1, 2, 'begun');
    call.log('info', { done: 'half' }, 'narrator');
    await Promise.resolve();
    call.progress(2, 2);
    return 'told';
  }

  @McpTool({ input: z.looseObject({ marker: z.string().optional() }) })
  async ask({ marker = 'you' }: Json, call: McpCall): Promise<string> {
    const { name } = await call.elicit(z.object({ name: z.string() }), `Who is ${String(marker)}?`);
    return `${call.principal.subject} said ${name} of ${String(marker)}`;
  }

  @McpTool({ input: z.looseObject({}) })
  async wait(_input: Json, call: McpCall): Promise<string> {
    call.progress(1);
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    return 'waited';
  }

  @McpTool({ input: z.looseObject({ marker: z.string() }) })
  async mine({ marker }: { marker: string }, call: McpCall): Promise<string> {
    call.progress(1, 1, marker);
    await Promise.resolve();
    return `${call.principal.subject} has ${marker}`;
  }

  @McpTool({ input: z.looseObject({}) })
  crash(): never {
    throw new Error(THROWN);
  }

  @McpTool({ input: z.looseObject({}) })
  @RateLimit({ perHour: 20, burst: 20 })
  seldom(): string {
    return 'now and then';
  }

  @McpTool({ input: z.looseObject({}) })
  @Concurrency({ max: 1, queue: 1, queueMs: 50 })
  async narrow(): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve));
    return 'through';
  }

  @McpTool()
  @RequireRoles('auditor')
  ledger(): string {
    return 'for auditors';
  }

  @McpTool()
  @RequireScopes('mcp:admin')
  reset(): string {
    return 'for admins';
  }

  @McpResource('orders://all')
  orders(): string {
    return 'none';
  }

  @McpResource('notes://{owner}')
  @RequirePolicy(OwnNotes)
  note({ owner }: { owner: string }): string {
    return `note of ${owner}`;
  }

  @McpResource('notes://fixed/alice')
  @RequirePolicy(OwnNotes)
  ofAlice(): string {
    return 'note of alice';
  }

  @McpResource('notes://fixed/bob')
  @RequirePolicy(OwnNotes)
  ofBob(): string {
    return 'note of bob';
  }

  @McpPrompt({ input: z.object({ language: z.string().optional() }) })
  review({ language = 'go' }: { language?: string | undefined }): string {
    return `Review this ${language}.`;
  }

  @McpCompletion({ prompt: 'review', argument: 'language' })
  languages({ value }: CompletionInput): string[] {
    return ['go', 'java'].filter((language) => language.startsWith(value));
  }
}

@Module({ providers: [Everything, OwnNotes] })
export class EverythingModule {}
