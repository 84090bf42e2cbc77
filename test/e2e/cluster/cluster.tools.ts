import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import {
  type CompletionInput,
  McpCall,
  McpCompletion,
  McpPrompt,
  McpRegistry,
  McpResource,
  McpTool,
  type Registration,
} from '../../../src/index.js';

const Text = z.object({ text: z.string() });
const Named = z.object({ name: z.string() });
const Uris = z.object({ uris: z.array(z.string()) });
const Steps = z.object({ from: z.int().default(1), to: z.int(), everyMs: z.int().default(0) });
const Gated = Steps.extend({ gate: z.string(), until: z.int(), release: z.boolean().default(false) });
const Topic = z.object({ topic: z.string() });

/** What the tests of the cluster call. Whatever is not said to go through Redis is known to one replica alone. */
@Injectable()
export class ClusterTools {
  private readonly hanging = new Map<string, 'running' | 'aborted'>();
  private readonly added = new Map<string, Registration>();
  private readonly gates = new Map<string, () => void>();

  constructor(private readonly registry: McpRegistry) {}

  /** Says which replica it ran on. */
  @McpTool({ input: Text })
  echo({ text }: z.infer<typeof Text>): string {
    return `${process.pid} ${text}`;
  }

  /** Reports numbered progress, and says at the end how far it came. */
  @McpTool({ input: Steps, timeoutMs: 120_000 })
  async steps({ from, to, everyMs }: z.infer<typeof Steps>, call: McpCall): Promise<string> {
    for (let step = from; step <= to; step++) {
      if (everyMs > 0 && step > from) await delay(everyMs, undefined, { signal: call.signal });
      call.progress(step);
    }
    return `${process.pid} took ${to} steps`;
  }

  /**
   * Reports progress up to a gate, and the rest when `open` is called for it on the same replica. May let go of its
   * connection when it has come to the gate.
   */
  @McpTool({ input: Gated })
  async gated({ from, to, gate, until, release }: z.infer<typeof Gated>, call: McpCall): Promise<string> {
    const opened = new Promise<void>((resolve) => this.gates.set(gate, resolve));
    for (let step = from; step <= until; step++) call.progress(step);
    if (release) call.releaseConnection();
    await opened;
    for (let step = until + 1; step <= to; step++) call.progress(step);
    return `${process.pid} took ${to} steps`;
  }

  @McpTool({ input: Named })
  open({ name }: z.infer<typeof Named>): string {
    const gate = this.gates.get(name);
    this.gates.delete(name);
    gate?.();
    return gate ? 'opened' : 'no such gate';
  }

  @McpTool()
  async ask(call: McpCall): Promise<string> {
    const { name } = await call.elicit(Named, 'What is your name?');
    return `Hello ${name}`;
  }

  @McpTool()
  async sample(call: McpCall): Promise<string> {
    const { content } = await call.sample({
      messages: [{ role: 'user', content: { type: 'text', text: 'A haiku, please.' } }],
      maxTokens: 50,
    });
    return `The model says: ${(content as { text: string }).text}`;
  }

  @McpTool()
  async roots(call: McpCall): Promise<string> {
    return (await call.roots()).map(({ uri }) => uri).join(' ');
  }

  /** Never ends by itself. Says where it has begun, if it is asked for progress. */
  @McpTool({ input: Named, timeoutMs: 120_000 })
  async hang({ name }: z.infer<typeof Named>, call: McpCall): Promise<string> {
    this.hanging.set(name, 'running');
    call.progress(1, undefined, String(process.pid));
    return new Promise<string>((_, reject) => {
      call.signal.addEventListener('abort', () => {
        this.hanging.set(name, 'aborted');
        reject(call.signal.reason as Error);
      });
    });
  }

  /** What became of the calls of `hang` on this replica, by name. */
  @McpTool()
  hangs(): string {
    return JSON.stringify(Object.fromEntries(this.hanging));
  }

  @McpTool()
  speak(call: McpCall): string {
    call.log('info', 'heard by those who want to know');
    call.log('error', 'heard by all');
    return 'said';
  }

  /** Tells the subscribers of each, everywhere. */
  @McpTool({ input: Uris })
  async touch({ uris }: z.infer<typeof Uris>): Promise<string> {
    for (const uri of uris) await this.registry.resourceUpdated(uri);
    return 'touched';
  }

  /** Adds a tool to this replica, and tells everywhere that the list has changed. */
  @McpTool({ input: Named })
  addTool({ name }: z.infer<typeof Named>): string {
    this.added.set(name, this.registry.addTool({ name, handler: () => 'added' }));
    return 'added';
  }

  @McpTool({ input: Named })
  removeTool({ name }: z.infer<typeof Named>): string {
    this.added.get(name)?.remove();
    this.added.delete(name);
    return 'removed';
  }

  @McpResource('notes://first')
  first(): string {
    return 'the first note';
  }

  @McpResource('notes://{name}')
  note({ name }: { name: string }): string {
    return `the note ${name}`;
  }

  @McpPrompt({ input: Topic })
  explain({ topic }: z.infer<typeof Topic>): string {
    return `Explain ${topic}.`;
  }

  @McpCompletion({ prompt: 'explain', argument: 'topic' })
  topics({ value }: CompletionInput): string[] {
    return ['redis', 'replicas', 'nginx'].filter((topic) => topic.startsWith(value));
  }
}
