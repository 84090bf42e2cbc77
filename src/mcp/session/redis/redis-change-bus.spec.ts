import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { McpError } from '../../protocol/errors.js';
import type { LoggedChange } from '../change-bus.port.js';
import type { LuaScript } from './lua-script.js';
import { RedisChangeBus } from './redis-change-bus.js';
import { RedisKeys } from './redis-keys.js';
import type { ReplicaLink } from './replica-link.js';

const turn = promisify(setImmediate);

/** A link whose replies and messages come when a test says so, to have them come in any order. */
class FakeLink {
  readonly keys = new RedisKeys('test:');
  readonly asked: { readonly script: string; readonly args: readonly (string | number)[] }[] = [];
  readonly #waiting: { resolve(reply: string[]): void; reject(error: unknown): void }[] = [];
  #hear: (fields: readonly string[]) => void = () => undefined;

  on(_kind: string, handler: (fields: readonly string[]) => void): void {
    this.#hear = handler;
  }

  onSweep(): void {}

  run({ name }: LuaScript, _keys: readonly string[], args: readonly (string | number)[]): Promise<string[]> {
    this.asked.push({ script: name, args });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Answers the oldest command that waits, and lets that have its effect. */
  async reply(...reply: string[]): Promise<void> {
    await turn();
    this.#waiting.shift()!.resolve(reply);
    await turn();
  }

  /** Redis is away, as far as the oldest command that waits is concerned. */
  async refuse(): Promise<void> {
    await turn();
    this.#waiting.shift()!.reject(new McpError('UNAVAILABLE', 'Redis is away.'));
    await turn();
  }

  message(id: string, before: string): void {
    this.#hear([id, JSON.stringify({ kind: 'resource', uri: id }), before]);
  }
}

function bus() {
  const link = new FakeLink();
  const bus = new RedisChangeBus(link as unknown as ReplicaLink);
  const heard: string[] = [];
  bus.subscribe(
    ({ cursor }: LoggedChange) => heard.push(cursor),
    (cursor) => heard.push(`lost, now at ${cursor}`),
  );
  return { link, bus, heard };
}

const json = '{"kind":"tools"}';

/** The behaviour of the port is in test/contract; here is what takes replies and messages in an unlikely order. */
describe('RedisChangeBus', () => {
  it('asks where the bus is when somebody subscribes, and takes that for its beginning', async () => {
    const { link, heard } = bus();
    expect(link.asked.map(({ script }) => script)).toEqual(['rookerySince']);

    await link.reply('gap', '3-c');
    link.message('4-d', '3-c');

    expect(heard).toEqual(['4-d']);
    expect(link.asked).toHaveLength(1);
  });

  it('begins with the first message, if that comes first', async () => {
    const { link, heard } = bus();
    link.message('4-d', '3-c');
    await link.reply('gap', '3-c');
    link.message('5-e', '4-d');

    expect(heard).toEqual(['4-d', '5-e']);
  });

  it('goes on delivering messages while it reads, and delivers nothing twice', async () => {
    const { link, bus: reader, heard } = bus();
    await link.reply('gap', '0-0');
    const cursor = reader.cursor();
    await link.reply('gap', '3-c');

    link.message('1-a', '0-0');
    link.message('2-b', '1-a');
    await link.reply('ok', '3-c', '1-a', json, '2-b', json, '3-c', json);
    link.message('3-c', '2-b');

    expect(await cursor).toBe('3-c');
    expect(heard).toEqual(['1-a', '2-b', '3-c']);
    expect(link.asked).toHaveLength(3);
  });

  it('is not held up by a reading that is older than what it has heard since', async () => {
    const { link, heard } = bus();
    await link.reply('gap', '1-a');
    link.message('3-c', '2-b');
    await turn();
    link.message('2-b', '1-a');
    link.message('3-c', '2-b');
    link.message('4-d', '3-c');
    await link.reply('ok', '3-c', '2-b', json, '3-c', json);

    expect(heard).toEqual(['2-b', '3-c', '4-d']);
    expect(link.asked).toHaveLength(2);
  });

  it('reads again, rather than to hold changes for lost, when messages came while it read of a gap', async () => {
    const { link, bus: reader, heard } = bus();
    await link.reply('gap', '0-0');
    const cursor = reader.cursor();
    await link.reply('gap', '2-b');

    link.message('1-a', '0-0');
    await link.reply('gap', '2-b');
    await link.reply('ok', '2-b', '2-b', json);

    expect(await cursor).toBe('2-b');
    expect(heard).toEqual(['1-a', '2-b']);
  });

  it('reads once more for who has seen something newer than the reading under way can have', async () => {
    const { link, heard } = bus();
    await link.reply('gap', '0-0');

    link.message('2-b', '1-a');
    await turn();
    link.message('4-d', '3-c');
    link.message('5-e', '4-d');
    await link.reply('ok', '2-b', '1-a', json, '2-b', json);
    expect(heard).toEqual(['1-a', '2-b']);
    await link.reply('ok', '5-e', '3-c', json, '4-d', json, '5-e', json);

    expect(heard).toEqual(['1-a', '2-b', '3-c', '4-d', '5-e']);
    expect(link.asked).toHaveLength(3);
  });

  it('does not read again for what the reading under way brings', async () => {
    const { link, heard } = bus();
    await link.reply('gap', '0-0');

    link.message('2-b', '1-a');
    await turn();
    link.message('3-c', '2-b');
    await link.reply('ok', '3-c', '1-a', json, '2-b', json, '3-c', json);

    expect(heard).toEqual(['1-a', '2-b', '3-c']);
    expect(link.asked).toHaveLength(2);
  });

  it('holds nothing of what it heard before a loss for heard', async () => {
    const { link, bus: reader, heard } = bus();
    await link.reply('gap', '0-0');
    link.message('1-a', '0-0');
    const lost = reader.cursor();
    await link.reply('gap', '0-9');
    await link.reply('gap', '0-9');
    await lost;

    // Published again, with the same tag, since the reply was lost too.
    const cursor = reader.cursor();
    await link.reply('gap', '1-a');
    await link.reply('ok', '1-a', '1-a', json);

    expect(await cursor).toBe('1-a');
    expect(heard).toEqual(['1-a', 'lost, now at 0-9', '1-a']);
  });

  it('knows the last 1,000 changes again when their messages come late', async () => {
    const { link } = bus();
    await link.reply('gap', '0-0');
    for (let i = 1; i <= 1_001; i += 1) link.message(`${i}-0`, `${i - 1}-0`);

    link.message('2-0', '1-0');
    await turn();
    expect(link.asked).toHaveLength(1);
    link.message('1-0', '0-0');
    await turn();

    expect(link.asked).toHaveLength(2);
  });

  it('tells what it kept before what comes later, and of one topic once', async () => {
    const { link, bus: publisher } = bus();
    await link.reply('gap', '0-0');
    for (const kind of ['tools', 'prompts'] as const) {
      const kept = publisher.publish({ kind });
      await link.refuse();
      await kept;
    }

    const published = publisher.publish({ kind: 'tools' });
    await link.reply('1-a', '0-0');
    await link.reply('2-b', '1-a');
    await published;

    const changes = link.asked.filter(({ script }) => script === 'rookeryPublish').map(({ args }) => args[2]);
    const [tools, prompts] = ['{"kind":"tools"}', '{"kind":"prompts"}'];
    expect(changes).toEqual([tools, tools, tools, prompts]);
  });

  it('tries a change it kept again with the tag of the first try, by which Redis knows it', async () => {
    const { link, bus: publisher } = bus();
    await link.reply('gap', '0-0');
    const kept = publisher.publish({ kind: 'tools' });
    await link.refuse();
    await kept;

    const published = publisher.publish({ kind: 'prompts' });
    await link.reply('1-a', '0-0');
    await link.reply('2-b', '1-a');
    await published;

    const [first, again, other] = link.asked
      .filter(({ script }) => script === 'rookeryPublish')
      .map(({ args: [, tag, change] }) => [tag, change]);
    expect(again).toEqual(first);
    expect(other![0]).not.toBe(first![0]);
  });
});
