import type { ClientCapabilities, LoggingLevel, Progress } from '@modelcontextprotocol/server';
import { type Era, type Revision, SESSION_REVISIONS, STATELESS_REVISION } from '../protocol/revisions.js';
import type { TestPrincipal } from './test-principal.js';

/** What a test client is. Everything has a default. */
export interface McpTestClientOptions {
  /** `stateless` is revision 2026-07-28, `session` the earlier ones. Default: the revision's, or `stateless`. */
  readonly era?: Era;
  /** Default: the newest of the era. */
  readonly revision?: Revision;
  /** What the client says it can do. Default: what it has `onElicit`, `onSample` and `onRoots` for. */
  readonly capabilities?: ClientCapabilities;
  /** Headers of every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the client, as the server sees it. Default `rookery-test-client`. */
  readonly name?: string;
  /** Who calls. Default: anonymous, or, if there are `scopes`, the subject `tester`. */
  readonly principal?: TestPrincipal;
  /** What the caller may do. */
  readonly scopes?: readonly string[];
}

/** Hears how far a call is. What it throws fails the call. */
export type ProgressHandler = (progress: Progress) => void;

/** What can be said of a single request. */
export interface McpTestRequestOptions {
  /** `_meta` of the request. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /**
   * Asks for log messages of this level and above. In a session, where the level is the session's, it stays for
   * later calls.
   */
  readonly logLevel?: LoggingLevel;
  /** Cancels the request when it aborts; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Asks for progress, of this call alone. */
  readonly onProgress?: ProgressHandler;
  /** Headers of this request. They win over all others. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws TypeError when era and revision contradict each other */
export function revisionOf({ era, revision }: McpTestClientOptions): Revision {
  if (revision === undefined) return era === 'session' ? SESSION_REVISIONS[0] : STATELESS_REVISION;
  const itsEra: Era = revision === STATELESS_REVISION ? 'stateless' : 'session';
  if (era !== undefined && era !== itsEra) {
    throw new TypeError(`Revision ${revision} belongs to the era "${itsEra}", not "${era}". Leave one of them out.`);
  }
  return revision;
}
