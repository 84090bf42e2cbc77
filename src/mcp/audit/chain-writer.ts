import type { LoggerService } from '@nestjs/common';
import { type PutOff, atEndOfTurn } from '../protocol/end-of-turn.js';
import { McpError } from '../protocol/errors.js';
import type { AuditAnchor } from './audit-anchor.js';
import type { AuditChain } from './audit-chain.js';
import type { OperationEntry } from './audit-entry.js';
import type { AuditPlace, AuditSink } from './audit-sink.port.js';
import {
  ChainQueue,
  type Missing,
  type QueueRoom,
  type QueuedOperation,
  type Waiter,
  missingIn,
  operationsOf,
} from './chain-queue.js';
import { failureText } from './failure-text.js';
import { SinkLog } from './sink-log.js';

export interface ChainWriterOptions {
  /** For log lines. */
  readonly name: string;
  /** Entries that may wait for the sink. */
  readonly maxQueue: number;
  /** Milliseconds an entry waits for a checkpoint at most. */
  readonly checkpointMs: number;
  /** Milliseconds after which a write counts as failed, though it may still succeed. */
  readonly writeTimeoutMs: number;
  /** Milliseconds that `close` waits for the sink. */
  readonly closeMs: number;
  readonly logger: Pick<LoggerService, 'log' | 'warn' | 'error'>;
}

/** Lines that are in the chain: they must be written before any other. */
interface Batch {
  readonly lines: string[];
  readonly place: AuditPlace;
  readonly waiters: Waiter[];
  readonly missing: Missing;
  /** The last entry with a signature, in this batch or before. */
  readonly signed: AuditAnchor | undefined;
}

const MAX_BATCH = 256;
/** Pause before a write that failed is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * Writes one chain to one sink, in order: one batch at a time, and one that failed again and again until it is written.
 * Meanwhile events wait, up to a bound; beyond it they are counted, and the chain says how many are missing where.
 */
export class ChainWriter implements PutOff {
  /** Writes that failed. */
  failures = 0;
  /** Operations that are not in the chain. */
  lost = 0;
  readonly #sink: AuditSink;
  readonly #chain: AuditChain;
  readonly #options: ChainWriterOptions;
  readonly #log: SinkLog;
  readonly #queue: ChainQueue;
  #batch: Batch | undefined;
  #running: Promise<void> | undefined;
  #isPutOff = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #checkpointTimer: NodeJS.Timeout | undefined;
  #checkpointDue = false;
  #failure: string | undefined;
  /** There was no room, and there is not much again. */
  #isLosing = false;
  #signed: AuditAnchor | undefined;
  #answered = false;
  #onFirstAnswer = (): void => undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #ended = false;

  constructor(sink: AuditSink, chain: AuditChain, options: ChainWriterOptions) {
    this.#sink = sink;
    this.#chain = chain;
    this.#options = options;
    this.#log = new SinkLog(options.name, options.logger);
    this.#queue = new ChainQueue(options.maxQueue);
  }

  /** What was wrong with the last write; undefined if it succeeded. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** False if operations would be lost now. */
  get hasRoom(): boolean {
    return this.#hasRoom('operations');
  }

  /** Begins the chain. Resolves when the sink has its first line, or has failed. Never rejects. */
  async start(): Promise<void> {
    if (this.#answered || this.#state !== 'open') return;
    await new Promise<void>((resolve) => {
      this.#onFirstAnswer = resolve;
      this.#pump();
    });
  }

  /** Adds an operation and does not wait. */
  add(entry: OperationEntry, at: number, room: QueueRoom): void {
    this.#enqueue({ kind: 'operation', entry, at, room, waiter: undefined });
  }

  /**
   * Adds an operation. Resolves once it is written. It is kept and will be written even if this rejects, unless there is
   * no more room.
   * @throws McpError `UNAVAILABLE` if it cannot be written now
   */
  async written(entry: OperationEntry, at: number, room: QueueRoom): Promise<void> {
    if (this.#failure !== undefined) {
      this.add(entry, at, room);
      throw unavailable();
    }
    await new Promise<void>((resolve, reject) => {
      const queued = this.#enqueue({ kind: 'operation', entry, at, room, waiter: { resolve, reject } });
      if (!queued) reject(unavailable());
    });
  }

  /** Writes what is left and the last entry, as far as the sink takes them, and closes it. Never rejects. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#checkpointTimer);
    await this.#withinCloseTime(this.#flush());
    this.#state = 'closed';
    this.#settleWhatIsLeft();
    if (this.#signed) this.#log.anchor(this.#signed);
    await this.#withinCloseTime(this.#closeSink());
  }

  #enqueue(item: QueuedOperation): boolean {
    if (!this.#hasRoom(item.room)) {
      this.#lose(item);
      return false;
    }
    this.#queue.push(item);
    // What else the turn brings goes along: a write costs more than many entries.
    if (this.#queue.size < MAX_BATCH && this.#queue.hasRoom(item.room)) this.#pumpAtEndOfTurn();
    else this.#pump();
    return true;
  }

  #pumpAtEndOfTurn(): void {
    if (this.#isPutOff || this.#running || this.#retryTimer) return;
    this.#isPutOff = true;
    atEndOfTurn(this);
  }

  /** @internal */
  endOfTurn(): void {
    this.#isPutOff = false;
    if (!this.#queue.isEmpty) this.#pump();
  }

  #lose(item: QueuedOperation): void {
    const operations = operationsOf(item);
    this.lost += operations;
    this.#queue.lose(operations);
    if (this.#isLosing || this.#state !== 'open') return;
    this.#isLosing = true;
    this.#log.hasNoRoom();
  }

  #hasRoom(room: QueueRoom): boolean {
    return this.#state === 'open' && this.#queue.hasRoom(room);
  }

  #pump(): void {
    if (this.#running || this.#retryTimer || this.#state !== 'open') return;
    this.#running = this.#drain().finally(() => {
      this.#running = undefined;
      // Something may have come in since it found nothing more to do.
      if (!this.#queue.isEmpty || this.#checkpointDue) this.#pump();
    });
  }

  async #drain(): Promise<void> {
    while (this.#state !== 'closed') {
      this.#batch ??= this.#nextBatch();
      if (!this.#batch) return;
      if (!(await this.#write(this.#batch))) return this.#retryLater();
      this.#batch = undefined;
    }
  }

  /** What was under way may have failed: it is tried once more. */
  async #flush(): Promise<void> {
    await this.#running;
    if (this.#batch || !this.#ended) await this.#drain();
  }

  #retryLater(): void {
    if (this.#state !== 'open') return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#pump();
    }, RETRY_MS).unref();
  }

  /** @returns true once the lines are written */
  async #write({ lines, place, waiters, signed }: Batch): Promise<boolean> {
    const { writeTimeoutMs } = this.#options;
    const timer = setTimeout(() => this.#failed(`It has not answered for ${writeTimeoutMs} ms.`), writeTimeoutMs);
    timer.unref();
    try {
      await this.#sink.write(lines, place);
    } catch (error) {
      this.#failed(failureText(error));
      return false;
    } finally {
      clearTimeout(timer);
    }
    this.#signed = signed;
    this.#succeeded();
    for (const waiter of waiters.splice(0)) waiter.resolve();
    return true;
  }

  #nextBatch(): Batch | undefined {
    const place = { chain: this.#chain.id, seq: this.#chain.seq };
    const items = this.#queue.take(MAX_BATCH);
    const lines = place.seq === 0 ? [this.#chain.start()] : [];
    const waiters: Waiter[] = [];
    for (const item of items) {
      const at = item.kind === 'gap' ? Date.now() : item.at;
      // What waited for a sink that failed may span more time than goes without a signature.
      if (this.#chain.isLate(at)) lines.push(this.#chain.seal('checkpoint'));
      lines.push(item.kind === 'gap' ? this.#chain.gap(item.lost, at) : this.#chain.operation(item.entry, at));
      if (item.kind === 'operation' && item.waiter) waiters.push(item.waiter);
      if (this.#chain.isFull) lines.push(this.#chain.seal('checkpoint'));
    }
    if (this.#state === 'closing' && this.#queue.isEmpty && !this.#ended) {
      this.#ended = true;
      lines.push(this.#chain.seal('end'));
    } else if (this.#checkpointDue && this.#chain.unsigned > 0) {
      lines.push(this.#chain.seal('checkpoint'));
    }
    this.#planCheckpoint();
    const missing = missingIn(items);
    return lines.length > 0 ? { lines, place, waiters, missing, signed: this.#chain.signed } : undefined;
  }

  #planCheckpoint(): void {
    this.#checkpointDue = false;
    if (this.#checkpointTimer || this.#chain.unsigned === 0 || this.#state !== 'open') return;
    this.#checkpointTimer = setTimeout(() => {
      this.#checkpointTimer = undefined;
      this.#checkpointDue = true;
      this.#pump();
    }, this.#options.checkpointMs).unref();
  }

  #failed(failure: string): void {
    this.failures += 1;
    if (this.#failure === undefined) this.#log.fails(failure);
    this.#failure = failure;
    this.#rejectWaiters();
    this.#answer();
  }

  #succeeded(): void {
    if (this.#failure !== undefined) this.#log.worksAgain(this.lost);
    this.#failure = undefined;
    // Not as soon as one has room: a sink that is too slow would have it told at each write.
    if (this.#isLosing && this.#queue.hasAmpleRoom) {
      this.#isLosing = false;
      this.#log.hasRoomAgain(this.lost);
    }
    this.#answer();
  }

  #answer(): void {
    this.#answered = true;
    this.#onFirstAnswer();
  }

  /** Their operations stay: they will be written, but nobody waits for as long. */
  #rejectWaiters(): void {
    for (const waiter of this.#batch?.waiters.splice(0) ?? []) waiter.reject(unavailable());
    for (const waiter of this.#queue.takeWaiters()) waiter.reject(unavailable());
  }

  #settleWhatIsLeft(): void {
    const left = [this.#queue.missing, this.#batch?.missing ?? { kept: 0, lost: 0 }];
    const total = left.reduce((sum, { kept, lost }) => sum + kept + lost, 0);
    this.#rejectWaiters();
    if (total > 0) {
      // What had no room was counted when it came.
      this.lost += left.reduce((sum, { kept }) => sum + kept, 0);
      this.#log.didNotTakeTheLast(total, this.lost);
    } else if (this.#batch) {
      this.#log.hasNoEnd();
    }
  }

  async #closeSink(): Promise<void> {
    try {
      await this.#sink.close?.();
    } catch (error) {
      this.#log.didNotClose(error);
    }
  }

  async #withinCloseTime(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.#options.closeMs)));
    await Promise.race([work, timeout]);
    clearTimeout(timer);
  }
}

function unavailable(): McpError {
  return new McpError('UNAVAILABLE', 'The audit trail cannot be written at the moment. Try again later.');
}
