import { MemoryTokenBuckets } from '../../src/mcp/limits/memory-token-buckets.js';
import { MemoryChangeBus } from '../../src/mcp/session/memory/memory-change-bus.js';
import { MemoryEventLog } from '../../src/mcp/session/memory/memory-event-log.js';
import { MemoryMailbox } from '../../src/mcp/session/memory/memory-mailbox.js';
import { MemorySessionStore } from '../../src/mcp/session/memory/memory-session-store.js';
import { describeChangeBus } from './change-bus.contract.js';
import { Clock } from './clock.js';
import { describeEventLog } from './event-log.contract.js';
import { describeMailbox } from './mailbox.contract.js';
import { describeSessionStore } from './session-store.contract.js';
import { describeTokenBuckets } from './token-buckets.contract.js';

/** Listeners that throw are part of the contract; their errors are not of this suite's output. */
const onListenerError = (): void => undefined;

describeSessionStore('memory', async (limits) => {
  const { now, advance } = new Clock();
  const store = new MemorySessionStore({ ...limits, now, onListenerError });
  return { store, peer: store, now, advance, close: () => store.close() };
});

describeEventLog('memory', async (limits) => {
  const { now, advance } = new Clock();
  const log = new MemoryEventLog({ ...limits, now, onListenerError });
  return { log, peer: log, advance, close: () => log.close() };
});

describeChangeBus('memory', async (limits) => {
  const bus = new MemoryChangeBus({ ...limits, onListenerError });
  return { bus, peer: bus, close: () => undefined };
});

describeMailbox('memory', async () => {
  const mailbox = new MemoryMailbox({ onListenerError });
  return { mailbox, peer: mailbox, close: () => undefined };
});

describeTokenBuckets('memory', async ({ clock }) => {
  const { now, advance } = new Clock();
  const buckets = new MemoryTokenBuckets(clock === 'test' ? { now } : {});
  const remembers = async (key: string): Promise<boolean> => {
    buckets.sweep();
    return buckets.has(key);
  };
  return { buckets, peer: buckets, advance, remembers, close: () => undefined };
});
