import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { EventLog, McpCall, McpError, McpTool } from '../../../src/index.js';
import type { AttachmentListener } from '../../../src/mcp/session/event-log.port.js';
import { MemoryEventLog } from '../../../src/mcp/session/memory/memory-event-log.js';
import { WireSession } from '../../support/wire.js';
import { EventStream, Gate, SessionApp } from './session-app.js';

/** A log that is away when a test says so, for reading, for writing, or for both. */
class AwayLog implements EventLog {
  canRead = true;
  canWrite = true;
  private readonly log = new MemoryEventLog();

  async append(...args: Parameters<EventLog['append']>): Promise<string> {
    this.require(this.canWrite);
    return this.log.append(...args);
  }

  async read(...args: Parameters<EventLog['read']>) {
    this.require(this.canRead);
    return this.log.read(...args);
  }

  async attach(sessionId: string, streamId: string, listener: AttachmentListener) {
    this.require(this.canWrite);
    // It hands over nothing: what is written has to be read.
    return this.log.attach(sessionId, streamId, {
      wake: () => listener.wake(),
      displaced: () => listener.displaced(),
    });
  }

  clear(sessionId: string): Promise<void> {
    return this.log.clear(sessionId);
  }

  private require(present: boolean): void {
    if (!present) throw new McpError('UNAVAILABLE', 'The log is away.');
  }
}

const call = (session: WireSession, name: string): Promise<EventStream> =>
  EventStream.open((signal) =>
    session.request('tools/call', { name, arguments: {}, _meta: { progressToken: 1 } }, 'call', signal),
  );
const RESULT = { id: 'call', result: { content: [{ type: 'text', text: 'done' }] } };
const progress = (step: number) => ({ method: 'notifications/progress', params: { progress: step } });

describe('an answer whose log goes away', () => {
  it('goes to the connection that is open, whole and in order, with what was written but not read', async () => {
    const log = new AwayLog();
    const [readingStops, writingStops] = [new Gate(), new Gate()];
    @Injectable()
    class Tools {
      @McpTool()
      async work(call: McpCall): Promise<string> {
        call.progress(1);
        await readingStops.opened;
        call.progress(2);
        await writingStops.opened;
        call.progress(3);
        return 'done';
      }
    }
    await using app = await SessionApp.boot([Tools], { events: log });
    const stream = await call(await WireSession.open(app.url), 'work');
    expect(await stream.message()).toMatchObject(progress(1));

    log.canRead = false;
    readingStops.open();
    await new Promise((resolve) => setImmediate(resolve));
    log.canWrite = false;
    writingStops.open();

    expect(await stream.messages()).toMatchObject([progress(2), progress(3), RESULT]);
  });

  it('waits for the log when there is no connection, and is there to be fetched then', async () => {
    const log = new AwayLog();
    const done = new Gate();
    @Injectable()
    class Tools {
      @McpTool()
      async work(call: McpCall): Promise<string> {
        call.progress(1);
        await done.opened;
        return 'done';
      }
    }
    await using app = await SessionApp.boot([Tools], { events: log });
    const session = await WireSession.open(app.url);
    const stream = await call(session, 'work');
    await stream.message();
    stream.cut();
    await app.idle();

    log.canWrite = false;
    done.open();
    await new Promise((resolve) => setImmediate(resolve));
    log.canWrite = true;

    const resumed = await EventStream.listen(session, stream.lastEventId);
    expect(await resumed.messages()).toMatchObject([RESULT]);
  });

  it('does not let go of a client that has nothing to resume from', async () => {
    const log = new AwayLog();
    @Injectable()
    class Tools {
      @McpTool()
      work(call: McpCall): string {
        log.canWrite = false;
        call.releaseConnection();
        return 'done';
      }
    }
    await using app = await SessionApp.boot([Tools], { events: log });
    const stream = await call(await WireSession.open(app.url), 'work');
    expect(await stream.messages()).toMatchObject([RESULT]);
  });
});
