import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { IsInt, Matches, Min } from 'class-validator';
import { z } from 'zod';
import {
  ApiField,
  McpCall,
  McpCompletion,
  McpPrompt,
  McpResource,
  McpTool,
  ToolError,
  type CompletionInput,
} from '../../../src/index.js';

export class OrderInput {
  @ApiField('Order number') @Matches(/^ORD-\d{3}$/) orderId!: string;
  @ApiField('Pieces') @IsInt() @Min(1) pieces!: number;
}

export class OrderReceipt {
  @ApiField('Order number') @Matches(/^ORD-/) orderId!: string;
  @ApiField('Cents') @IsInt() total!: number;
}

const confirmation = z.object({ confirmed: z.boolean() });
const language = z.object({ language: z.string() });
const LANGUAGES = ['TypeScript', 'Turtle', 'Rust'];

/** A promise that someone else settles. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

/** One of everything a client can use. */
@Injectable()
export class ShopTools {
  /** Calls of `wait`: that one has begun, that it may end, and why it was stopped. */
  readonly begun = deferred();
  readonly mayEnd = deferred();
  readonly stopped = deferred<Error>();

  @McpTool({ title: 'Place an order', output: OrderReceipt })
  order(input: OrderInput): OrderReceipt {
    return { orderId: input.orderId, total: input.pieces * 250 };
  }

  @McpTool()
  refuse(): never {
    throw new ToolError('Out of stock. Try tomorrow.');
  }

  @McpTool()
  break(): never {
    throw new Error('password=hunter2');
  }

  @McpTool()
  pack(call: McpCall): string {
    call.progress(1, 3, 'boxed');
    call.progress(2, 3, 'sealed');
    call.log('debug', 'looking for tape');
    call.log('warning', { tape: 'low' }, 'packing');
    call.progress(3, 3, 'labelled');
    return 'packed';
  }

  @McpTool()
  async confirm(call: McpCall): Promise<string> {
    const { confirmed } = await call.elicit(confirmation, 'Refund 42?');
    return confirmed ? 'refunded' : 'kept';
  }

  @McpTool()
  async haiku(call: McpCall): Promise<string> {
    const { content } = await call.sample({
      messages: [{ role: 'user', content: { type: 'text', text: 'A haiku, please.' } }],
      maxTokens: 50,
    });
    return `The model says: ${(content as { text: string }).text}`;
  }

  @McpTool()
  async where(call: McpCall): Promise<string> {
    return (await call.roots()).map(({ uri }) => uri).join(' ');
  }

  /** Says something, so that its answer is a stream, and waits. */
  @McpTool()
  async wait(call: McpCall): Promise<string> {
    call.signal.addEventListener('abort', () => this.stopped.resolve(call.signal.reason as Error));
    call.progress(1, 2, 'waiting');
    this.begun.resolve();
    await this.mayEnd.promise;
    call.progress(2, 2, 'done');
    return 'waited';
  }

  private ticks: (() => void)[] = [];
  private ticked = 0;

  /** Lets `count` take its next step. */
  tick(): void {
    this.ticked += 1;
    for (const wake of this.ticks.splice(0)) wake();
  }

  /** Reports five steps of progress; each after the first waits for a tick. */
  @McpTool()
  async count(call: McpCall): Promise<string> {
    for (let step = 1; step <= 5; step++) {
      while (this.ticked < step - 1) await new Promise<void>((wake) => this.ticks.push(wake));
      call.progress(step, 5);
    }
    return 'counted';
  }

  /** Lets go of the connection before it answers. */
  @McpTool()
  async callBack(call: McpCall): Promise<string> {
    call.releaseConnection();
    await setTimeout(50);
    return 'called back';
  }

  @McpResource('shop://terms', { title: 'Terms', mimeType: 'text/markdown' })
  terms(): string {
    return '# Terms';
  }

  @McpResource('orders://{orderId}', { title: 'An order' })
  orderById({ orderId }: { orderId: string }): object | undefined {
    return orderId === 'ORD-404' ? undefined : { orderId, state: 'shipped' };
  }

  @McpPrompt({ title: 'Review code', input: language })
  review(input: z.infer<typeof language>): string {
    return `Review this ${input.language} code.`;
  }

  @McpCompletion({ prompt: 'review', argument: 'language' })
  languages({ value }: CompletionInput): string[] {
    return LANGUAGES.filter((name) => name.startsWith(value));
  }
}
