import { describe, expect, it, vi } from 'vitest';
import type { Change, LoggedChange } from './change-bus.port.js';
import { ChangeFanout, concerns } from './change-fanout.js';
import { MemoryChangeBus } from './memory/memory-change-bus.js';

const none = { kinds: new Set<never>(), uris: new Set<string>() };
const tools = { kinds: new Set(['tools'] as const), uris: new Set<string>() };
const resource = (...uris: string[]) => ({ kinds: new Set<never>(), uris: new Set(uris) });

function fanout() {
  const bus = new MemoryChangeBus();
  const heard: Change[] = [];
  const fan = new ChangeFanout(bus);
  return { bus, fan, heard, hear: ({ change }: { change: Change }) => void heard.push(change) };
}

describe('a reader', () => {
  it('hears what it asked for, and nothing else', async () => {
    const { bus, fan, heard, hear } = fanout();
    fan.add({ kinds: new Set(['tools']), uris: new Set(['a://1']) }, hear);

    await bus.publish({ kind: 'tools' });
    await bus.publish({ kind: 'prompts' });
    await bus.publish({ kind: 'resource', uri: 'a://1' });
    await bus.publish({ kind: 'resource', uri: 'a://2' });

    expect(heard).toEqual([{ kind: 'tools' }, { kind: 'resource', uri: 'a://1' }]);
  });

  it('of a resource called like a list hears of the resource alone', async () => {
    const { bus, fan, heard, hear } = fanout();
    fan.add(resource('tools'), hear);

    await bus.publish({ kind: 'tools' });

    expect(heard).toEqual([]);
  });

  it('hears what it changed to, and no more what it left', async () => {
    const { bus, fan, heard, hear } = fanout();
    const entry = fan.add(resource('a://1', 'a://2'), hear);

    entry.change(resource('a://2', 'a://3'));
    for (const uri of ['a://1', 'a://2', 'a://3']) await bus.publish({ kind: 'resource', uri });

    expect(heard.map((change) => 'uri' in change && change.uri)).toEqual(['a://2', 'a://3']);
  });

  it('that is removed hears nothing, and leaves the others alone', async () => {
    const { bus, fan, heard, hear } = fanout();
    const gone = vi.fn();
    const entry = fan.add(tools, gone);
    fan.add(tools, hear);

    entry.remove();
    entry.remove();
    await bus.publish({ kind: 'tools' });

    expect(gone).not.toHaveBeenCalled();
    expect(heard).toHaveLength(1);
  });

  it('that leaves while it is told does not disturb the others', async () => {
    const { bus, fan, heard, hear } = fanout();
    const entry = fan.add(tools, () => entry.remove());
    fan.add(tools, hear);

    await bus.publish({ kind: 'tools' });

    expect(heard).toHaveLength(1);
  });
});

/** A bus that can lose changes. */
class LossyBus extends MemoryChangeBus {
  lose: (cursor: string) => void = () => undefined;

  override subscribe(listener: (change: LoggedChange) => void, lost?: (cursor: string) => void): () => void {
    this.lose = lost ?? this.lose;
    return super.subscribe(listener);
  }
}

describe('when changes were lost', () => {
  it('each reader that wants to know is told once, whatever it is interested in', () => {
    const bus = new LossyBus();
    const fan = new ChangeFanout(bus);
    const [lost, deliver] = [vi.fn(), vi.fn()];
    fan.add({ kinds: new Set(['tools', 'prompts']), uris: new Set(['a://1']) }, deliver, lost);
    fan.add(none, deliver, lost).change(tools);

    bus.lose('7-1');

    expect(lost.mock.calls).toEqual([['7-1'], ['7-1']]);
    expect(deliver).not.toHaveBeenCalled();
  });

  it('any other reader hears of everything it is interested in', () => {
    const bus = new LossyBus();
    const fan = new ChangeFanout(bus);
    const deliver = vi.fn();
    fan.add(none, deliver).change({ kinds: new Set(['tools', 'prompts']), uris: new Set(['a://1']) });

    bus.lose('7-1');

    expect(deliver.mock.calls.flat()).toEqual([
      { cursor: '7-1', change: { kind: 'tools' } },
      { cursor: '7-1', change: { kind: 'prompts' } },
      { cursor: '7-1', change: { kind: 'resource', uri: 'a://1' } },
    ]);
  });

  it('a reader that was removed, before or while others are told, is not told', () => {
    const bus = new LossyBus();
    const fan = new ChangeFanout(bus);
    const [lost, before, meanwhile] = [vi.fn(), vi.fn(), vi.fn()];
    fan.add(tools, vi.fn(), before).remove();
    fan.add(tools, vi.fn(), () => entry.remove());
    const entry = fan.add(tools, vi.fn(), meanwhile);
    fan.add(tools, vi.fn(), lost);

    bus.lose('7-1');

    expect([before, meanwhile, lost].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 1]);
  });

  it('a fanout that is closed tells nobody', () => {
    const bus = new LossyBus();
    const fan = new ChangeFanout(bus);
    const lost = vi.fn();
    fan.add(tools, vi.fn(), lost);

    fan.close();
    bus.lose('7-1');

    expect(lost).not.toHaveBeenCalled();
  });
});

it('a fanout that is closed tells nobody', async () => {
  const { bus, fan, heard, hear } = fanout();
  fan.add(tools, hear);

  fan.close();
  await bus.publish({ kind: 'tools' });

  expect(heard).toEqual([]);
});

it('concerns tells the same by hand', () => {
  expect(concerns(tools, { kind: 'tools' })).toBe(true);
  expect(concerns(tools, { kind: 'prompts' })).toBe(false);
  expect(concerns(resource('a://1'), { kind: 'resource', uri: 'a://1' })).toBe(true);
  expect(concerns(none, { kind: 'resource', uri: 'a://1' })).toBe(false);
});
