import { Operation } from '../../../dispatch/operation.js';
import { McpError } from '../../../protocol/errors.js';
import { ANONYMOUS, type Principal, isAnonymous, principalKey } from '../../../protocol/principal.js';
import { isSessionRevision } from '../../../protocol/revisions.js';
import type { SessionRecord } from '../../../session/session-record.js';
import type { SessionEntry } from '../../../session/session-store.port.js';
import { unsupportedRevision } from '../../envelope.js';
import type { JsonRpcMessage, JsonRpcRequest, RequestId } from '../../json-rpc.js';
import type { HttpRequest } from '../exchange.js';
import type { SessionServices, WireServices } from '../wire-services.js';

type EntranceServices = Pick<WireServices, 'authenticator' | 'operations' | 'telemetry'> &
  Pick<SessionServices, 'store'>;

/** Loads the session that a request names, for whom it belongs to. */
export class SessionEntrance {
  constructor(private readonly services: EntranceServices) {}

  /**
   * Loads the session of a message. Who may not have it is limited and recorded as one who calls.
   * @param requestId marks this JSON-RPC request as running
   * @throws McpError
   */
  enterToCall(
    message: JsonRpcMessage | JsonRpcRequest,
    request: HttpRequest,
    principal: Principal,
    requestId?: RequestId,
  ): SessionRecord | Promise<SessionRecord> {
    try {
      const record = this.enter(request, principal, requestId);
      if (!(record instanceof Promise)) return record;
      return record.catch((error: unknown) => this.refuse(message, request, principal, error));
    } catch (error) {
      return this.refuse(message, request, principal, error);
    }
  }

  /**
   * Loads the session a request names.
   * @param requestId marks this JSON-RPC request as running
   * @throws McpError
   */
  enter(request: HttpRequest, principal: Principal, requestId?: RequestId): SessionRecord | Promise<SessionRecord> {
    const { headers } = request;
    const sessionId = headers['mcp-session-id'];
    if (typeof sessionId !== 'string' || sessionId === '') {
      throw new McpError('INVALID_REQUEST', 'The Mcp-Session-Id header is required. Send initialize first.');
    }
    const version = headers['mcp-protocol-version'];
    if (version !== undefined && !isSessionRevision(String(version))) throw unsupportedRevision(String(version));
    const entry = this.services.store.enter(sessionId, principalKey(principal), requestId);
    return entry instanceof Promise
      ? entry.then((late) => this.found(late, sessionId, principal, requestId))
      : this.found(entry, sessionId, principal, requestId);
  }

  /** The record, if the session could be entered. @throws McpError */
  entered(entry: SessionEntry, requestId: RequestId | undefined): SessionRecord {
    switch (entry.status) {
      case 'ok':
        return entry.record;
      case 'unknown':
        this.services.telemetry.sessionUnknown();
        throw new McpError('SESSION_NOT_FOUND', 'No such session. Send initialize to open a new one.');
      case 'in-flight':
        throw new McpError(
          'INVALID_REQUEST',
          `A request with the id ${JSON.stringify(requestId)} is running on this session.`,
        );
    }
  }

  private found(
    entry: SessionEntry,
    sessionId: string,
    principal: Principal,
    requestId: RequestId | undefined,
  ): SessionRecord | Promise<SessionRecord> {
    if (entry.status === 'unknown' && this.mayTakeOver(principal))
      return this.takeOver(sessionId, principal, requestId);
    return this.entered(entry, requestId);
  }

  private mayTakeOver(principal: Principal): boolean {
    return !isAnonymous(principal) && this.services.authenticator.anonymousMayUse !== 'all';
  }

  /**
   * A client that began without a token and then logged in goes on with its session, since it knows no better: it
   * becomes the caller's, and whoever comes without a token does not find it any more.
   */
  private async takeOver(sessionId: string, principal: Principal, requestId?: RequestId): Promise<SessionRecord> {
    const { store } = this.services;
    const owner = principalKey(principal);
    await store.update(sessionId, { owner, from: principalKey(ANONYMOUS) });
    // Whoever took it: another request of the same caller may have been faster.
    return this.entered(await store.enter(sessionId, owner, requestId), requestId);
  }

  private refuse(
    message: JsonRpcMessage | JsonRpcRequest,
    { headers }: HttpRequest,
    principal: Principal,
    error: unknown,
  ): Promise<never> {
    const { method, params } = 'method' in message ? message : { method: 'response', params: {} };
    const operation = new Operation({ method, params, era: 'session', principal, headers });
    return this.services.operations.watch(operation, () => Promise.reject(error as Error));
  }
}
