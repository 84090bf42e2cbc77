import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CurrentCall, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';

@Injectable()
class Waiting {
  readonly stopped: unknown[] = [];
  running = 0;

  constructor(private readonly current: CurrentCall) {}

  @McpTool()
  async wait(): Promise<string> {
    const { signal } = this.current.get();
    this.running += 1;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.stopped.push(signal.reason);
    return 'too late';
  }

  @McpTool()
  quick(): string {
    return 'done';
  }
}

@Module({ providers: [Waiting] })
class WaitingModule {}

describe.each(['stateless', 'session'] as const)('a call of a test client in the %s era', (era) => {
  it('can be cancelled', async () => {
    await using app = await createMcpTestApp(WaitingModule);
    const client = app.client({ era });
    const tools = app.get(Waiting);
    const running = client.call('wait');
    await eventually(() => expect(tools.running).toBe(1));

    await running.cancel('not needed any more');
    await expect(running).rejects.toMatchObject({ name: 'AbortError', message: 'not needed any more' });
    await eventually(() => expect(tools.stopped).toMatchObject([{ name: 'CallCancelled' }]));
    if (era === 'session') expect(tools.stopped).toMatchObject([{ message: /not needed any more/ }]);
    expect(await client.call('quick')).toMatchObject({ content: [{ text: 'done' }] });
  });

  it("ends with its signal's reason", async () => {
    await using app = await createMcpTestApp(WaitingModule);
    const tools = app.get(Waiting);
    const controller = new AbortController();
    const running = app.client({ era }).call('wait', {}, { signal: controller.signal });
    await eventually(() => expect(tools.running).toBe(1));

    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await eventually(() => expect(tools.stopped).toHaveLength(1));
  });

  it('does not begin when its signal has aborted already', async () => {
    await using app = await createMcpTestApp(WaitingModule);
    const signal = AbortSignal.abort(new Error('enough'));

    await expect(app.client({ era }).call('wait', {}, { signal })).rejects.toThrow('enough');
    expect(app.get(Waiting).running).toBe(0);
  });

  it('cannot be cancelled once it is over', async () => {
    await using app = await createMcpTestApp(WaitingModule);
    const call = app.client({ era }).call('quick');
    await call;

    await call.cancel();
    expect(await call).toMatchObject({ content: [{ text: 'done' }] });
  });

  it('ends with its client', async () => {
    await using app = await createMcpTestApp(WaitingModule);
    const client = app.client({ era });
    const tools = app.get(Waiting);
    const running = client.call('wait');
    await eventually(() => expect(tools.running).toBe(1));

    await client.close();
    await expect(running).rejects.toThrow('The client was closed.');
    await eventually(() => expect(tools.stopped).toHaveLength(1));
    await expect(client.call('quick')).rejects.toThrow('The client was closed.');
  });

  it('ends with its app', async () => {
    const app = await createMcpTestApp(WaitingModule);
    const tools = app.get(Waiting);
    const running = expect(app.client({ era }).call('wait')).rejects.toThrow('The client was closed.');
    await eventually(() => expect(tools.running).toBe(1));

    await app.close();
    await running;
  });

  it('may be left behind by a test that ends', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    {
      await using app = await createMcpTestApp(WaitingModule);
      const tools = app.get(Waiting);
      void app.client({ era }).call('wait');
      await eventually(() => expect(tools.running).toBe(1));
    }

    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });
});
