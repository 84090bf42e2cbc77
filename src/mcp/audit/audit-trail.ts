import { type KeyObject, generateKeyPairSync } from 'node:crypto';
import type { LoggerService } from '@nestjs/common';
import { McpError } from '../protocol/errors.js';
import { assertDigestKey } from './arguments-digest.js';
import { AuditChain } from './audit-chain.js';
import type { CheckpointBounds, OperationEntry } from './audit-entry.js';
import type { AuditEvent } from './audit-event.js';
import { isEd25519 } from './audit-key.js';
import type { AuditSink } from './audit-sink.port.js';
import type { QueueRoom } from './chain-queue.js';
import { ChainWriter } from './chain-writer.js';
import { cut } from './cut.js';
import { describeOperation } from './describe-operation.js';
import { RefusalCounts, isNamelessRefusal } from './refusal-counts.js';

export interface AuditTrailOptions {
  /** One at least. Each has a chain of its own, so that none waits for another. The trail closes them. */
  readonly sinks: readonly AuditSink[];
  /**
   * What happens while a sink cannot be written: `closed` refuses operations, `continue` keeps them, up to the bound,
   * and counts those beyond it.
   */
  readonly onFailure: 'closed' | 'continue';
  /** Name of this replica in the entries. 1 to 128 characters. */
  readonly replica: string;
  /**
   * Ed25519, private; several replicas may share it. Default: a new one, whose public key only the log itself names:
   * then whoever can write the log can also make another one.
   */
  readonly signingKey?: KeyObject;
  /** For digests of arguments that nobody else can find by trying: 32 bytes at least. Default: plain SHA-256. */
  readonly digestKey?: Uint8Array;
  /** Entries between two signatures, 1 at least. Default 1,000. */
  readonly checkpointEvery?: number;
  /** Milliseconds an entry goes without a signature at most, a whole number from 1. Default 60,000. */
  readonly checkpointMs?: number;
  /** Operations that may wait for a sink; refusals of callers without a name, a tenth of that beside them. Default 10,000. */
  readonly maxQueue?: number;
  /** Milliseconds after which a write without an answer counts as failed. Default 5,000. */
  readonly writeTimeoutMs?: number;
  /** Milliseconds that `close` waits for a sink to take the rest, and again for it to close. Default 5,000. */
  readonly closeMs?: number;
  readonly logger: Pick<LoggerService, 'log' | 'warn' | 'error'>;
}

const MAX_REPLICA = 128;

/** Records who did what: every operation, also those that were refused. */
export class AuditTrail {
  readonly #writers: readonly ChainWriter[];
  readonly #failsClosed: boolean;
  readonly #digestKey: Uint8Array | undefined;
  readonly #refusals = new RefusalCounts((event) => {
    const entry = describeOperation(event);
    for (const writer of this.#writers) writer.add(entry, Date.now(), 'refusals');
  });

  /** @throws Error when there is no sink, a key is not usable, or signatures are to come at no distance that there is */
  constructor(options: AuditTrailOptions) {
    const { sinks, logger, digestKey } = options;
    if (sinks.length === 0) throw new Error('The audit trail has no sink. Give it one, or make no trail.');
    if (digestKey) assertDigestKey(digestKey);
    this.#digestKey = digestKey;
    this.#failsClosed = options.onFailure === 'closed';
    const key = options.signingKey ?? newKey(logger);
    assertSigningKey(key);
    const bounds = boundsOf(options);
    const replica = cut(options.replica, MAX_REPLICA);
    this.#writers = sinks.map(
      (sink, index) =>
        new ChainWriter(sink, new AuditChain(replica, key, bounds), {
          name: sink.name ?? String(index + 1),
          maxQueue: options.maxQueue ?? 10_000,
          checkpointMs: bounds.checkpointMs,
          writeTimeoutMs: options.writeTimeoutMs ?? 5_000,
          closeMs: options.closeMs ?? 5_000,
          logger,
        }),
    );
  }

  /**
   * Begins the chains. Resolves when each sink has its first entry or has failed; it is tried again then, see
   * {@link failure}. Never rejects.
   */
  async start(): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.start()));
  }

  /** Writes that failed, of all sinks. */
  get failures(): number {
    return this.#writers.reduce((sum, { failures }) => sum + failures, 0);
  }

  /** Operations that are missing from a sink; one that is missing from two counts twice. */
  get lost(): number {
    return this.#writers.reduce((sum, { lost }) => sum + lost, 0);
  }

  /** What is wrong with a sink that failed the last time, for operators; undefined if none did. */
  get failure(): string | undefined {
    return this.#writers.find(({ failure }) => failure !== undefined)?.failure;
  }

  /**
   * To be called before an operation runs. While a sink fails, it is tried again once a second.
   * @throws McpError `UNAVAILABLE` when the trail fails closed and a sink failed the last time, or has no room
   */
  ready(): void {
    if (!this.#failsClosed) return;
    if (this.#writers.every(({ failure, hasRoom }) => failure === undefined && hasRoom)) return;
    throw new McpError('UNAVAILABLE', 'The audit trail cannot be written at the moment. Try again later.');
  }

  /**
   * Records an operation that has ended. The arguments are digested at once and not kept. Refusals of callers without a
   * name are counted, see {@link RefusalCounts}.
   *
   * @returns undefined when the trail goes on in spite of failures, or the event was counted: nothing is kept of it that
   *   could wait; else what resolves once all sinks have written it, and rejects with an McpError `UNAVAILABLE` when one
   *   has not: it may still be written then
   */
  record(event: AuditEvent): Promise<void> | undefined {
    const isNameless = isNamelessRefusal(event);
    if (isNameless && this.#refusals.count(event)) return undefined;
    return this.#write(describeOperation(event, this.#digestKey), isNameless ? 'refusals' : 'operations');
  }

  /** Writes what waits and the ends of the chains, as far as the sinks take them in time, and closes the sinks. Never rejects. */
  async close(): Promise<void> {
    this.#refusals.close();
    await Promise.all(this.#writers.map((writer) => writer.close()));
  }

  #write(entry: OperationEntry, room: QueueRoom): Promise<void> | undefined {
    const at = Date.now();
    if (this.#failsClosed) return this.#written(this.#writers.map((writer) => writer.written(entry, at, room)));
    for (const writer of this.#writers) writer.add(entry, at, room);
    return undefined;
  }

  async #written(writes: Promise<void>[]): Promise<void> {
    await Promise.all(writes);
  }
}

function newKey(logger: AuditTrailOptions['logger']): KeyObject {
  logger.warn(
    'The audit trail has no signing key and made one for this run. It proves nothing to those who cannot tell this key ' +
      'from another: make one with "openssl genpkey -algorithm ed25519", and keep its public part apart from the log.',
  );
  return generateKeyPairSync('ed25519').privateKey;
}

function boundsOf({ checkpointEvery = 1_000, checkpointMs = 60_000 }: AuditTrailOptions): CheckpointBounds {
  const areBounds = [checkpointEvery, checkpointMs].every((bound) => Number.isSafeInteger(bound) && bound >= 1);
  if (areBounds) return { checkpointEvery, checkpointMs };
  throw new Error('checkpointEvery and checkpointMs of the audit trail must be whole numbers, 1 at least.');
}

function assertSigningKey(key: KeyObject): void {
  if (key.type === 'private' && isEd25519(key)) return;
  throw new Error(
    'The signing key of the audit trail is no private Ed25519 key. Make one with: openssl genpkey -algorithm ed25519',
  );
}
