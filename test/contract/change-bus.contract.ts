import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change, ChangeBus, ChangeRead, LoggedChange } from '../../src/mcp/session/change-bus.port.js';
import { eventually } from '../support/eventually.js';

export interface ChangeBusLimits {
  /** Changes that `since` can look back. */
  readonly capacity: number;
}

/** Two replicas over one backend (the same object twice where the adapter is process-local). */
export interface ChangeBusHarness {
  readonly bus: ChangeBus;
  readonly peer: ChangeBus;
  close(): void | Promise<void>;
}

const LIMITS: ChangeBusLimits = { capacity: 4 };

const changed = (uri: string): Change => ({ kind: 'resource', uri });

/** A subscriber that keeps the URIs it heard of. */
class Heard {
  readonly uris: string[] = [];

  readonly listener = ({ change }: LoggedChange): void => {
    this.uris.push(change.kind === 'resource' ? change.uri : change.kind);
  };
}

function urisOf(read: ChangeRead): readonly string[] | string {
  if (read.status !== 'ok') return read.status;
  return read.changes.map(({ change }) => (change.kind === 'resource' ? change.uri : change.kind));
}

/** The behaviour of every adapter of the port. Listeners may be told at once or later, so tests wait for it. */
export function describeChangeBus(name: string, factory: (limits: ChangeBusLimits) => Promise<ChangeBusHarness>): void {
  describe(`ChangeBus: ${name}`, () => {
    let harness: ChangeBusHarness;
    let bus: ChangeBus;
    let peer: ChangeBus;

    beforeEach(async () => {
      harness = await factory(LIMITS);
      ({ bus, peer } = harness);
    });
    afterEach(() => harness.close());

    const publishAll = async (target: ChangeBus, ...uris: string[]): Promise<void> => {
      for (const uri of uris) await target.publish(changed(uri));
    };

    describe('subscribe', () => {
      it('hears every change, of any replica, in the order of publishing', async () => {
        const [here, there] = [new Heard(), new Heard()];
        bus.subscribe(here.listener);
        peer.subscribe(there.listener);
        await publishAll(bus, '1', '2');
        await publishAll(peer, '3');
        await eventually(() =>
          expect([here.uris, there.uris]).toEqual([
            ['1', '2', '3'],
            ['1', '2', '3'],
          ]),
        );
      });

      it('hears changes of each kind, with cursors that since() understands', async () => {
        const heard: LoggedChange[] = [];
        peer.subscribe((change) => heard.push(change));
        const kinds: Change[] = [{ kind: 'tools' }, { kind: 'prompts' }, { kind: 'resources' }, changed('a://1')];
        for (const change of kinds) await bus.publish(change);
        await eventually(() => expect(heard.map(({ change }) => change)).toEqual(kinds));
        expect(urisOf(await bus.since(heard[1]!.cursor))).toEqual(['resources', 'a://1']);
      });

      it('hears nothing from before', async () => {
        await publishAll(bus, '1');
        const heard = new Heard();
        bus.subscribe(heard.listener);
        await publishAll(bus, '2');
        await eventually(() => expect(heard.uris).toEqual(['2']));
      });

      it('hears nothing once it has ended, and may end twice', async () => {
        const [gone, barrier] = [new Heard(), new Heard()];
        const end = bus.subscribe(gone.listener);
        bus.subscribe(barrier.listener);
        end();
        end();
        await publishAll(bus, '1');
        await eventually(() => expect(barrier.uris).toEqual(['1']));
        expect(gone.uris).toEqual([]);
      });

      it('is one subscription each time, even of the same listener', async () => {
        const heard = new Heard();
        const end = bus.subscribe(heard.listener);
        bus.subscribe(heard.listener);
        end();
        await publishAll(bus, '1');
        await eventually(() => expect(heard.uris).toEqual(['1']));
      });

      it('may be ended by a listener, its own or one that comes after', async () => {
        const [victim, barrier] = [new Heard(), new Heard()];
        const ends: (() => void)[] = [];
        ends.push(bus.subscribe(() => ends.forEach((end) => end())));
        ends.push(bus.subscribe(victim.listener));
        bus.subscribe(barrier.listener);
        await publishAll(bus, '1', '2');
        await eventually(() => expect(barrier.uris).toEqual(['1', '2']));
        expect(victim.uris).toEqual([]);
      });

      it('is not harmed by another listener that throws', async () => {
        const heard = new Heard();
        bus.subscribe(() => {
          throw new Error('listener failed');
        });
        bus.subscribe(heard.listener);
        await publishAll(bus, '1', '2');
        await eventually(() => expect(heard.uris).toEqual(['1', '2']));
      });

      it('keeps the order when a listener publishes', async () => {
        const heard = new Heard();
        bus.subscribe(({ change }) => {
          if (change.kind === 'tools') void bus.publish(changed('echo'));
        });
        bus.subscribe(heard.listener);
        await bus.publish({ kind: 'tools' });
        await eventually(() => expect(heard.uris).toEqual(['tools', 'echo']));
      });
    });

    describe('since', () => {
      it('is empty at the newest position', async () => {
        expect(await bus.since(await bus.cursor())).toEqual({ status: 'ok', changes: [] });
        await publishAll(bus, '1');
        expect(await peer.since(await peer.cursor())).toEqual({ status: 'ok', changes: [] });
      });

      it('returns what came after, oldest first, from every replica', async () => {
        await publishAll(bus, '0');
        const cursor = await peer.cursor();
        await publishAll(bus, '1');
        await publishAll(peer, '2');
        expect(urisOf(await bus.since(cursor))).toEqual(['1', '2']);
      });

      it('goes on from the cursor of a change it returned', async () => {
        const cursor = await bus.cursor();
        await publishAll(bus, '1', '2', '3');
        const read = await bus.since(cursor);
        expect(read.status === 'ok' && urisOf(await bus.since(read.changes[0]!.cursor))).toEqual(['2', '3']);
      });

      it('looks back as far as its memory goes and reports a gap beyond', async () => {
        const tooOld = await bus.cursor();
        await publishAll(bus, '1');
        const oldest = await bus.cursor();
        await publishAll(bus, '2', '3', '4', '5');
        expect(urisOf(await bus.since(oldest))).toEqual(['2', '3', '4', '5']);
        expect(await bus.since(tooOld)).toEqual({ status: 'gap', cursor: await bus.cursor() });
      });

      it('reports a gap, with the present position, for what is no cursor', async () => {
        await publishAll(bus, '1');
        const present = await bus.cursor();
        for (const cursor of ['', 'nonsense', '-', '0', '-1', '99999999999999-0', `${present} `, `${present}x`]) {
          expect([cursor, await bus.since(cursor)]).toEqual([cursor, { status: 'gap', cursor: present }]);
        }
      });

      it('reports a gap for the cursor of a bus that has gone further', async () => {
        const other = await factory(LIMITS);
        await publishAll(bus, '1');
        await publishAll(other.bus, '1', '2', '3');
        const ahead = await other.bus.cursor();
        await other.close();
        expect(await bus.since(ahead)).toEqual({ status: 'gap', cursor: await bus.cursor() });
      });
    });
  });
}
