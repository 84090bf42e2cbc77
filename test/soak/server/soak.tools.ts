import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { McpCall, McpRegistry, McpResource, McpTool } from '../../../src/index.js';

const Text = z.object({ text: z.string() });
const Count = z.object({ to: z.int(), everyMs: z.int() });
const Answer = z.object({ answer: z.string() });
const Uri = z.object({ uri: z.string() });

/** What the clients of the soak call. */
@Injectable()
export class SoakTools {
  constructor(private readonly registry: McpRegistry) {}

  @McpTool({ input: Text })
  echo({ text }: z.infer<typeof Text>): string {
    return text;
  }

  /** Reports every number from 1 on, and says at the end how far it came. */
  @McpTool({ input: Count, timeoutMs: 120_000 })
  async count({ to, everyMs }: z.infer<typeof Count>, call: McpCall): Promise<string> {
    for (let n = 1; n <= to; n++) {
      call.progress(n, to);
      await delay(everyMs, undefined, { signal: call.signal });
    }
    return `counted to ${to}`;
  }

  /** Says what the user answered to what question. */
  @McpTool({ input: Text })
  async ask({ text }: z.infer<typeof Text>, call: McpCall): Promise<string> {
    const { answer } = await call.elicit(Answer, text);
    return `${text} ${answer}`;
  }

  /** Tells the subscribers of a resource that it has changed. */
  @McpTool({ input: Uri })
  async touch({ uri }: z.infer<typeof Uri>): Promise<string> {
    await this.registry.resourceUpdated(uri);
    return uri;
  }

  @McpResource('counter://{topic}')
  counter({ topic }: { topic: string }): string {
    return topic;
  }
}
