import { describe, expect, it } from 'vitest';
import { MemoryChangeBus } from './memory-change-bus.js';

/** The behaviour of the port is in test/contract; here is what is particular to memory. */
describe('MemoryChangeBus', () => {
  it('remembers 1,000 changes', async () => {
    const bus = new MemoryChangeBus();
    const start = await bus.cursor();
    for (let i = 0; i < 1_000; i += 1) await bus.publish({ kind: 'tools' });
    expect(await bus.since(start)).toMatchObject({ status: 'ok', changes: { length: 1_000 } });
    await bus.publish({ kind: 'tools' });
    expect(await bus.since(start)).toEqual({ status: 'gap', cursor: await bus.cursor() });
  });

  it('knows the cursor of another process for foreign, even at a position it has', async () => {
    const [before, after] = [new MemoryChangeBus(), new MemoryChangeBus()];
    for (const bus of [before, after]) await bus.publish({ kind: 'tools' });
    expect(await after.since(await before.cursor())).toEqual({ status: 'gap', cursor: await after.cursor() });
  });

  it('takes no position for a cursor that it never gave out', async () => {
    const bus = new MemoryChangeBus();
    await bus.publish({ kind: 'tools' });
    const cursor = await bus.cursor();
    for (const position of ['-1', '2', '0.5', '01', 'NaN', 'Infinity', '']) {
      const forged = cursor.replace(/1$/, position);
      expect([forged, await bus.since(forged)]).toEqual([forged, { status: 'gap', cursor }]);
    }
  });

  it('tells a subscriber nothing that was published before it came, even if it is still being told', async () => {
    const bus = new MemoryChangeBus();
    const heard: string[] = [];
    bus.subscribe(({ change }) => {
      if (change.kind !== 'tools') return;
      void bus.publish({ kind: 'prompts' });
      bus.subscribe((late) => heard.push(late.change.kind));
      void bus.publish({ kind: 'resources' });
    });
    await bus.publish({ kind: 'tools' });
    expect(heard).toEqual(['resources']);
  });
});
