import type { KeyObject } from 'node:crypto';
import type { IssuerHttp } from './issuer-http.js';
import { IssuerUnavailable } from './issuer-unavailable.error.js';
import type { TokenHeader } from './jwt-parts.js';
import { KeySet } from './key-set.js';
import type { OutageLog } from './outage-log.js';
import { unavailable } from './unavailable.js';

/** At most one fetch in this time is due to tokens that no known key fits, or anyone could have us ask the issuer. */
const SEARCH_INTERVAL_MS = 30_000;
/** For so long after a fetch that failed, the next one waits. */
const RETRY_MS = 1_000;

/** Finds the keys that a token may be signed with. */
export interface KeySource {
  /** What `find` chooses from: another object when that has changed. */
  readonly current: object | undefined;
  /**
   * @returns none when the issuer has no such key
   * @throws McpError `UNAVAILABLE` when that cannot be found out
   */
  find(header: TokenHeader): Promise<readonly KeyObject[]>;
  /**
   * Looks for newer keys, at most once in a while, because those that were found do not verify a token.
   * @throws McpError `UNAVAILABLE` when the issuer cannot be asked
   */
  search(): Promise<void>;
  /** Tries to have the keys before they are needed. Never rejects: what goes wrong is logged. */
  prepare(): Promise<void>;
}

/** The one key that was configured. */
export class FixedKey implements KeySource {
  constructor(readonly current: KeyObject) {}

  async find(): Promise<readonly KeyObject[]> {
    return [this.current];
  }

  async search(): Promise<void> {}

  async prepare(): Promise<void> {}
}

export interface JwksKeysOptions {
  /** Where the keys are, asked before every fetch. */
  readonly uri: () => Promise<string>;
  readonly http: Pick<IssuerHttp, 'fetch'>;
  readonly outages: Pick<OutageLog, 'failed' | 'succeeded'>;
  readonly maxAgeMs: number;
  readonly staleIfErrorMs: number;
  /** Milliseconds by a clock that nobody sets. */
  readonly now: () => number;
}

interface FetchedKeys {
  readonly set: KeySet;
  readonly fetchedAt: number;
}

/**
 * The published keys of an issuer.
 *
 * They are fetched again when they are old, and once in a while when a token names a key that is not among them or is
 * not verified by the one that it names, since that is what a rotation looks like. Old ones are used until then, for a
 * time.
 */
export class JwksKeys implements KeySource {
  private keys: FetchedKeys | undefined;
  private fetching: Promise<FetchedKeys> | undefined;
  /** The fetch that a token without a fitting key was due to last. */
  private searched:
    | { readonly startedAt: number; readonly before: FetchedKeys | undefined; readonly result: Promise<FetchedKeys> }
    | undefined;
  private failure: { readonly at: number; readonly error: unknown } | undefined;

  constructor(private readonly options: JwksKeysOptions) {}

  get current(): object | undefined {
    return this.keys;
  }

  async prepare(): Promise<void> {
    await this.refresh().catch(() => undefined);
  }

  find(header: TokenHeader): Promise<readonly KeyObject[]> {
    return this.orUnavailable(async () => {
      const known = await (await this.fresh()).set.matching(header);
      return known.length > 0 ? known : (await this.newer()).set.matching(header);
    });
  }

  async search(): Promise<void> {
    await this.orUnavailable(() => this.newer());
  }

  private async orUnavailable<T>(look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof IssuerUnavailable)) throw error;
      this.options.outages.failed(error, 'Tokens that need them are answered with 503.');
      throw unavailable();
    }
  }

  /** Keys that are not too old. Nobody waits for the issuer who has some that will do. */
  private async fresh(): Promise<FetchedKeys> {
    const { keys } = this;
    const { maxAgeMs, staleIfErrorMs, now } = this.options;
    const age = keys ? now() - keys.fetchedAt : Infinity;
    if (keys && age < maxAgeMs) return keys;
    const refreshed = this.refresh();
    if (!keys || age >= maxAgeMs + staleIfErrorMs) return refreshed;
    // Why it failed is in the log.
    refreshed.catch(() => undefined);
    return keys;
  }

  /** A fetch that is under way may have left before the rotation, so only one that starts now can tell for sure. */
  private async newer(): Promise<FetchedKeys> {
    const { now } = this.options;
    if (!this.searched || now() >= this.searched.startedAt + SEARCH_INTERVAL_MS) {
      this.searched = { startedAt: now(), before: this.keys, result: this.fetch() };
    }
    const { before, result } = this.searched;
    const found = await result.catch((error: unknown) => {
      // A regular refresh may have succeeded since.
      if (this.keys && this.keys !== before) return this.keys;
      throw error;
    });
    return this.keys ?? found;
  }

  private refresh(): Promise<FetchedKeys> {
    if (this.fetching) return this.fetching;
    if (this.failure && this.options.now() < this.failure.at + RETRY_MS) return Promise.reject(this.failure.error);
    return this.fetch();
  }

  /** One after the other, or an answer from before a rotation could replace the one from after it. */
  private fetch(): Promise<FetchedKeys> {
    const download = () => this.download();
    const fetching = (this.fetching?.then(download, download) ?? download()).finally(() => {
      if (this.fetching === fetching) this.fetching = undefined;
    });
    this.fetching = fetching;
    return fetching;
  }

  private async download(): Promise<FetchedKeys> {
    const { uri, http, outages, now } = this.options;
    try {
      const response = await http.fetch(await uri(), {
        headers: { accept: 'application/json, application/jwk-set+json' },
      });
      const keys = { set: new KeySet(await response.text()), fetchedAt: now() };
      this.keys = keys;
      this.failure = undefined;
      outages.succeeded();
      return keys;
    } catch (error) {
      this.failure = { at: now(), error };
      outages.failed(
        error,
        this.keys
          ? 'The keys that were fetched before are used for a time.'
          : 'Tokens that need them are answered with 503.',
      );
      throw error;
    }
  }
}
