import { Redis } from 'ioredis';
import type { ClientOptions } from './redis-client-options.js';

type Command = Parameters<Redis['sendCommand']>[0];
type Kind = 'subscribe' | 'psubscribe';

/**
 * A client that keeps its subscriptions: from the call of `subscribe`, answered or not, until `unsubscribe` or until the
 * server refuses them. ioredis' own resubscribing forgets them when the connection is lost again before the server has
 * answered, stays deaf when the server does not, and leaves the rejection unhandled, which ends the process.
 */
export class RedisSubscriber extends Redis {
  readonly #kept: Readonly<Record<Kind, Set<string>>> = { subscribe: new Set(), psubscribe: new Set() };

  constructor(options: ClientOptions) {
    super({ ...options, autoResubscribe: false });
    this.on('ready', () => void this.#resubscribe());
  }

  override sendCommand(command: Command, ...rest: unknown[]): unknown {
    this.#keep(command);
    return super.sendCommand(command, ...(rest as []));
  }

  async #resubscribe(): Promise<void> {
    try {
      for (const kind of ['subscribe', 'psubscribe'] as const) {
        if (this.#kept[kind].size > 0) await this[kind](...this.#kept[kind]);
      }
    } catch (error) {
      this.silentEmit('error', error);
      // Connected but deaf would look like all is well.
      if (this.status === 'ready') this.disconnect(true);
    }
  }

  #keep(command: Command): void {
    const names = command.args.map(String);
    switch (command.name) {
      case 'subscribe':
      case 'psubscribe': {
        const kept = this.#kept[command.name];
        const added = names.filter((name) => !kept.has(name));
        for (const name of added) kept.add(name);
        command.promise.catch((error: unknown) => {
          if (error instanceof Error && error.name === 'ReplyError') for (const name of added) kept.delete(name);
        });
        break;
      }
      case 'unsubscribe':
      case 'punsubscribe': {
        const kept = this.#kept[command.name === 'unsubscribe' ? 'subscribe' : 'psubscribe'];
        for (const name of names.length > 0 ? names : [...kept]) kept.delete(name);
        break;
      }
    }
  }
}
