import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { RedisKeys } from './redis-keys.js';
import { RedisMailbox } from './redis-mailbox.js';
import type { ReplicaLink } from './replica-link.js';

const turn = promisify(setImmediate);

/** The behaviour of the port is in test/contract; here is what takes a reply that comes late. */
it('forgets a question in Redis only once it is registered there, or it would stay', async () => {
  const sent: string[] = [];
  let register: (stands: string) => void = () => undefined;
  const link = {
    id: 'here',
    keys: new RedisKeys('test:'),
    on: () => undefined,
    onSweep: () => undefined,
    run: () => new Promise<string>((resolve) => (register = resolve)),
    send: async (command: (client: { hdel: (...args: string[]) => void }) => Promise<unknown>) =>
      command({ hdel: (...args) => sent.push(args.join(' ')) }),
  };
  const mailbox = new RedisMailbox(link as unknown as ReplicaLink);
  const abort = new AbortController();

  const asked = mailbox.expect('s1', 'ask', abort.signal);
  abort.abort(new Error('given up'));
  await expect(asked).rejects.toThrow('given up');
  await turn();
  expect(sent).toEqual([]);
  register('phere');
  await turn();

  expect(sent).toEqual(['test:{s1}:asks ask']);
});
