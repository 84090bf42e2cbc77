import { describe, expect, it } from 'vitest';
import { Calls } from './clients/calls.js';
import { problemsOf } from './criteria.js';
import { Excuses } from './excuses.js';
import { type Counts, Ledger } from './ledger.js';
import { type Publication, Publications, Subscriber } from './publications.js';
import { Sabotage } from './sabotage.js';
import { Sequence, numbers } from './sequence.js';

const NOTHING_WRONG = { lost: 0, doubled: 0, reordered: 0, unordered: 0, missed: 0, failed: 0 };

function fixture({ balancerLog = '' } = {}) {
  const excuses = new Excuses(() => balancerLog);
  const ledger = new Ledger((request, failure) => excuses.of(request, failure));
  ledger.phase = 'steady';
  return { excuses, ledger };
}

describe('a sequence', () => {
  it.each([
    ['all, in order', [1, 2, 3, 4], ['new', 'new', 'new', 'new'], []],
    ['one left out', [1, 2, 4], ['new', 'new', 'new'], [3]],
    ['the last left out', [1, 2, 3], ['new', 'new', 'new'], [4]],
    ['one twice', [1, 2, 2, 3, 4], ['new', 'new', 'doubled', 'new', 'new'], []],
    ['one twice, much later', [1, 2, 3, 4, 1], ['new', 'new', 'new', 'new', 'doubled'], []],
    ['two exchanged', [1, 3, 2, 4], ['new', 'new', 'reordered', 'new'], []],
    ['none', [], [], [1, 2, 3, 4]],
  ])('of which comes %s', (_, come, receipts, missing) => {
    const sequence = new Sequence();

    expect(come.map((n) => sequence.receive(n))).toEqual(receipts);
    expect(sequence.missing(numbers(4))).toEqual(missing);
  });

  it('that stops short has no gaps, unless there are some before', () => {
    const [whole, holed] = [new Sequence(), new Sequence()];
    for (const n of [1, 2, 3]) whole.receive(n);
    for (const n of [1, 3]) holed.receive(n);

    expect(whole.gaps).toEqual([]);
    expect(holed.gaps).toEqual([2]);
    expect(new Sequence().gaps).toEqual([]);
  });
});

describe('the events of a call', () => {
  it.each([
    ['all of them', numbers(20), {}],
    ['all but one', numbers(20).filter((n) => n !== 7), { lost: 1 }],
    ['one of them twice', [...numbers(7), ...numbers(20).slice(6)], { doubled: 1 }],
    ['two of them exchanged', [...numbers(6), 8, 7, ...numbers(20).slice(8)], { reordered: 1 }],
    ['none of them', [], { lost: 20 }],
  ])('are counted: %s', (_, come, wrong) => {
    const { ledger, excuses } = fixture();
    const events = new Calls({ client: 'a', ledger, excuses, sabotage: new Sabotage() }).numbered();

    for (const n of come) events.receive(n);
    events.close(true);

    expect(ledger.counts('steady')).toMatchObject({ ...NOTHING_WRONG, ...wrong, progress: new Set(come).size });
    expect(ledger.incidents).toHaveLength(Object.values(wrong).reduce((sum, n) => sum + n, 0));
  });

  it('may stop short when the call was ended, but not leave any out', () => {
    const { ledger, excuses } = fixture();
    const calls = new Calls({ client: 'a', ledger, excuses, sabotage: new Sabotage() });
    const [short, holed] = [calls.numbered(), calls.numbered()];

    for (const n of [1, 2, 3]) short.receive(n);
    for (const n of [1, 3]) holed.receive(n);
    short.close(false);
    holed.close(false);

    expect(ledger.counts('steady')).toMatchObject({ ...NOTHING_WRONG, lost: 1 });
  });

  it.each([
    ['drop-event', { lost: 1 }],
    ['double-event', { doubled: 1 }],
    ['swap-events', { reordered: 1 }],
  ] as const)('that a client tampers with (%s) are found, once', (kind, wrong) => {
    const { ledger, excuses } = fixture();
    const calls = new Calls({ client: 'a', ledger, excuses, sabotage: new Sabotage(kind) });

    for (const events of [calls.numbered(), calls.numbered()]) {
      for (const n of numbers(20)) events.receive(n);
      events.close(true);
    }

    expect(ledger.counts('steady')).toMatchObject({ ...NOTHING_WRONG, ...wrong });
  });
});

describe('the changes a client is told of', () => {
  function published(count: number) {
    const parts = fixture();
    const publications = new Publications();
    const subscriber = new Subscriber('a', publications, parts.ledger, parts.excuses);
    const publish = (): Publication => {
      const publication = publications.begin(parts.ledger.phase);
      publication.state = 'told';
      publication.endedAt = Date.now();
      return publication;
    };
    const tell = (...n: number[]): void => n.forEach((each) => subscriber.receive(`counter://${each}`));
    for (let n = 0; n < count; n++) publish();
    return { ...parts, publications, subscriber, publish, tell };
  }

  it.each([
    ['all', [0, 1, 2, 3], {}],
    ['all but one', [0, 1, 3], { lost: 1 }],
    ['none', [], { lost: 4 }],
    ['one twice', [0, 1, 1, 2, 3], { doubled: 1 }],
    ['two exchanged', [0, 2, 1, 3], { reordered: 1 }],
    ['one that never happened', [0, 1, 2, 3, 50], { failed: 1 }],
  ])('are counted: %s', (_, told, wrong) => {
    const { ledger, subscriber, tell } = published(4);

    tell(...told);
    subscriber.close('steady');

    expect(ledger.counts('steady')).toMatchObject({ ...NOTHING_WRONG, ...wrong });
  });

  it('are told apart from the next change of the same resource', () => {
    const { ledger, subscriber, publish, tell } = published(100);
    tell(...numbers(99).map((n) => n - 1));
    for (let n = 0; n < 100; n++) {
      publish();
      tell(n);
    }
    subscriber.close('steady');

    // Change 99 was never told; the one of the same resource a hundred later was.
    expect(ledger.incidents.map(({ kind, detail }) => `${kind} ${detail}`)).toEqual([
      'lost change 99 of replica unknown',
    ]);
  });

  it('count in the phase in which they were published', () => {
    const { ledger, subscriber, tell } = published(2);
    tell(0);
    ledger.phase = 'rolling';
    tell(0);
    subscriber.close('steady');

    expect(ledger.counts('steady')).toMatchObject({ ...NOTHING_WRONG, lost: 1, doubled: 1 });
    expect(ledger.counts('rolling')).toMatchObject(NOTHING_WRONG);
  });

  it('must not all come when nobody knows whether they were published', () => {
    const { ledger, subscriber, publications } = published(0);
    publications.begin('steady').state = 'uncertain';
    publications.begin('steady').state = 'uncertain';
    subscriber.receive('counter://0');
    subscriber.receive('counter://0');
    subscriber.close('steady');

    expect(ledger.counts('steady')).toMatchObject({ ...NOTHING_WRONG, doubled: 1 });
  });

  it('are missed, not lost, only while a client of the stateless era was not listening', async () => {
    const { ledger, subscriber, publish, publications } = published(1);
    await longerThanOnItsWay(publications, 0);
    subscriber.leaves();
    publish();
    subscriber.returns();
    await new Promise((resolve) => setTimeout(resolve, 5));
    publish();
    subscriber.close('steady');

    expect(ledger.incidents.map(({ kind, detail }) => `${kind} ${detail}`)).toEqual([
      'lost change 0 of replica unknown',
      expect.stringMatching(/^missed change 1 of replica unknown, published from \d to \d ms in an absence of \d ms$/),
      'lost change 2 of replica unknown',
    ]);
  });

  it('have an unknown order only when they were published while Redis was away', () => {
    const { ledger, excuses, subscriber, publish } = published(2);
    excuses.outage = { from: Date.now() + 1, to: Date.now() + 1 };
    for (const n of [1, 0]) subscriber.receive(`counter://${n}`);
    excuses.outage = { from: Date.now() - 10, to: Date.now() };
    publish();
    publish();
    for (const n of [3, 2]) subscriber.receive(`counter://${n}`);

    expect(ledger.counts('steady')).toMatchObject({ ...NOTHING_WRONG, reordered: 1, unordered: 1 });
  });
});

describe('a request', () => {
  it('is open until it is settled, and counts once', () => {
    const { ledger } = fixture();
    const [answered, forgotten] = [ledger.begin('a', 'echo'), ledger.begin('a', 'echo')];

    ledger.settle(answered, 'ok');
    ledger.fail(answered, { detail: 'too late to say so' });

    expect(ledger.open).toEqual([forgotten]);
    expect(ledger.counts('steady')).toMatchObject({ requests: 2, ok: 1, failed: 0 });
  });

  it('counts where it is sent, and its outcome where it ends', () => {
    const { ledger } = fixture();
    const request = ledger.begin('a', 'GET stream');
    ledger.phase = 'kill';
    ledger.fail(request, { detail: 'broken' });

    expect(ledger.counts('steady')).toMatchObject({ requests: 1, failed: 0 });
    expect(ledger.counts('kill')).toMatchObject({ requests: 0, failed: 1 });
  });

  it('is refused, not failed, only with 503 and Retry-After and while Redis is away', () => {
    const { ledger, excuses } = fixture();
    const outcome = (status: number, retryAfter?: string) =>
      ledger.fail(ledger.begin('a', 'echo'), { status, retryAfter, detail: '' });

    const before = outcome(503, '1');
    excuses.outage = { from: Date.now() };
    const during = [outcome(503, '1'), outcome(503), outcome(404, '1'), outcome(502, '1')];
    excuses.outage.to = Date.now() - 20_000;

    expect([before, ...during, outcome(503, '1')]).toEqual([
      'failed',
      'refused',
      'failed',
      'failed',
      'failed',
      'failed',
    ]);
  });

  it('is lost with the killed replica only if it was there, by its own word or by the balancer’s', () => {
    const lines = [
      'prematurely closed, request: "POST /mcp?r=3 HTTP/1.1", upstream: "http://127.0.0.1:4001/mcp?r=3", host',
      'prematurely closed, request: "POST /mcp?r=4 HTTP/1.1", upstream: "http://127.0.0.1:4002/mcp?r=4", host',
    ];
    const { ledger, excuses } = fixture({ balancerLog: lines.join('\n') });
    excuses.victim = { pid: 1001, address: '127.0.0.1:4001', killedAt: Date.now() };
    const outcome = (replica?: number) => {
      const request = ledger.begin('a', 'stream');
      request.replica = replica;
      return ledger.fail(request, { detail: 'broken' });
    };

    expect([outcome(1001), outcome(1002), outcome(), outcome(), outcome()]).toEqual([
      'killed',
      'failed',
      'killed',
      'failed',
      'failed',
    ]);
  });
});

describe('the criteria', () => {
  const good: Counts = { ...new Ledger().counts('steady'), requests: 9, calls: 3, progress: 3, notifications: 3 };

  it.each(['failed', 'lost', 'doubled', 'reordered'] as const)('let no phase pass with %s', (counter) => {
    for (const phase of ['opening', 'steady', 'rolling', 'kill', 'redis', 'closing'] as const) {
      expect(problemsOf(phase, { ...good, killed: 1, refused: 1, [counter]: 1 })).toContain(`${phase}: ${counter} 1`);
    }
  });

  it('let pass what has an excuse, and that only where it can have one', () => {
    expect(problemsOf('steady', good)).toEqual([]);
    expect(problemsOf('rolling', { ...good, missed: 4 })).toEqual([]);
    expect(problemsOf('kill', { ...good, killed: 4, orphaned: 2 })).toEqual([]);
    expect(problemsOf('redis', { ...good, refused: 4, unordered: 2 })).toEqual([]);
    expect(problemsOf('rolling', { ...good, killed: 4, orphaned: 1, refused: 2, unordered: 3 })).toEqual([
      'rolling: killed 4',
      'rolling: orphaned 1',
      'rolling: refused 2',
      'rolling: unordered 3',
    ]);
  });

  it('let nothing pass that shows nothing', () => {
    expect(problemsOf('steady', { ...good, calls: 0, progress: 0, notifications: 0 })).toHaveLength(3);
    expect(problemsOf('kill', good)).toEqual(['kill: nothing was with the replica']);
    expect(problemsOf('redis', good)).toEqual(['redis: nothing was refused, so it was never away']);
  });
});

/** Makes a change older than what may still be on its way when a listener leaves. */
async function longerThanOnItsWay(publications: Publications, n: number): Promise<void> {
  const publication = publications.told('steady')[n];
  if (publication) publication.endedAt = (publication.endedAt ?? 0) - 1_100;
}
