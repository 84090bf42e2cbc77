import { Injectable, Module } from '@nestjs/common';
import { expect } from 'vitest';
import { z } from 'zod';
import {
  Authenticator,
  GracefulStop,
  type HttpOptions,
  McpCall,
  McpHealthModule,
  McpModule,
  McpTool,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { type Json, WireSession, statelessRequest } from '../../support/wire.js';
import { Gate } from '../session/session-app.js';

/** Tools that take as long as the test wants. */
@Injectable()
export class SlowTools {
  /** Lets all that wait be done. */
  readonly done = new Gate();
  running = 0;
  finished = 0;
  /** Why calls were aborted. */
  readonly aborted: unknown[] = [];

  /** Works until it is done, or told to stop. */
  @McpTool()
  async work(call: McpCall): Promise<string> {
    this.running += 1;
    call.progress(1);
    const stopped = new Promise<never>((_resolve, reject) => {
      call.signal.addEventListener('abort', () => {
        this.aborted.push(call.signal.reason);
        reject(call.signal.reason as Error);
      });
    });
    await Promise.race([this.done.opened, stopped]);
    this.finished += 1;
    return 'worked';
  }

  /** Goes on whatever it is told. */
  @McpTool()
  async stubborn(): Promise<string> {
    this.running += 1;
    await this.done.opened;
    return 'too late';
  }

  @McpTool()
  async ask(call: McpCall): Promise<string> {
    const { name } = await call.elicit(z.object({ name: z.string() }), 'Who are you?');
    return `Hello ${name}.`;
  }

  @McpTool()
  finish(): string {
    this.done.open();
    return 'finished';
  }
}

@Module({ providers: [SlowTools] })
class SlowModule {}

export const ERAS = ['stateless', 'session'] as const;
export type Era = (typeof ERAS)[number];

/** A server that gives its calls ten seconds when it stops, unless a test says otherwise. */
export function boot(http: Partial<HttpOptions> = {}, authenticator?: Authenticator): Promise<McpTestApp> {
  const options = { http: { drainGraceMs: 10_000, ...http } };
  return createMcpTestApp([McpModule.forRoot(options), McpHealthModule, SlowModule], {
    options,
    logger: false,
    override: authenticator ? [[Authenticator, authenticator]] : [],
  });
}

/** Calls a tool in either era; with a progress token its answer is a stream. */
export async function call(app: McpTestApp, era: Era, name: string, meta: Json = {}): Promise<Response> {
  if (era === 'stateless') return statelessRequest(app.url, 'tools/call', { name }, { meta });
  const session = await WireSession.open(app.url);
  return session.request('tools/call', { name, _meta: meta });
}

/** Closes an application and waits until it has begun to stop, which is a moment later. */
export async function beginToClose(app: McpTestApp): Promise<{ readonly closed: Promise<void> }> {
  const closed = app.close();
  await expect.poll(() => app.get(GracefulStop).draining).toBe(true);
  return { closed };
}
