import type { CallOrigin } from '../../dispatch/call-origin.js';
import { Operation } from '../../dispatch/operation.js';
import type { Outcome, RunningCall } from '../../dispatch/outcome.js';
import type { SessionRevision } from '../../protocol/revisions.js';
import { type FanoutEntry, interestOf } from '../../session/change-fanout.js';
import type { ClientAnswer } from '../../session/mailbox.port.js';
import { type SessionChange, type SessionRecord, applyChange } from '../../session/session-record.js';
import { Audience } from '../audience.js';
import { changeNotification } from '../change-notification.js';
import { type JsonRpcRequest, type RequestId, notificationFrame, notificationOf } from '../json-rpc.js';
import { sessionMethod } from '../session-methods.js';
import { ClientRequests } from './client-requests.js';
import type { Work } from './running-requests.js';
import type { StdioServices } from './stdio-services.js';

/**
 * The session that `initialize` opens, revisions 2025-03-26 to 2025-11-25. It lives as long as its channel, so its
 * record is kept here and no store knows of it.
 */
export class StdioSession {
  private readonly clientRequests: ClientRequests;
  private readonly changes: FanoutEntry;
  private readonly audience: Audience;

  constructor(
    private readonly services: StdioServices,
    private record: SessionRecord,
  ) {
    const { fanout, writer, principal } = services;
    this.audience = new Audience(services, principal);
    this.clientRequests = new ClientRequests(writer);
    this.changes = fanout.add(interestOf(record), ({ change }) => {
      const { method, params } = changeNotification(change);
      this.audience.tell(change, () => writer.announce(notificationFrame(method, params), () => true));
    });
  }

  get revision(): SessionRevision {
    return this.record.revision;
  }

  /** @param isLive whether anything may still be written for the request */
  start(message: JsonRpcRequest, isLive: () => boolean): Work {
    const { options, dispatcher, principal } = this.services;
    const context = {
      record: this.record,
      audience: this.audience,
      maxSubscriptions: options.maxSubscriptions,
      update: async (change: SessionChange) => this.update(change),
    };
    const method = sessionMethod(context, message);
    if (method) {
      const operation = new Operation({ ...message, era: 'session', principal });
      return { outcome: dispatcher.run(operation, method), cancel: () => undefined };
    }
    let call: RunningCall | undefined;
    const outcome = Promise.resolve().then((): Outcome | Promise<Outcome> => {
      // Cancelled by a line that came along with its own.
      if (!isLive()) return { kind: 'cancelled' };
      call = this.dispatch(message, isLive);
      return call.outcome;
    });
    return { outcome, cancel: (reason) => call?.cancel(reason) };
  }

  answer(id: RequestId, answer: ClientAnswer): void {
    this.clientRequests.answer(id, answer);
  }

  end(): void {
    this.changes.remove();
    this.audience.close();
  }

  private dispatch({ id, method, params }: JsonRpcRequest, isLive: () => boolean): RunningCall {
    const { dispatcher, principal, writer } = this.services;
    const { revision, clientInfo, clientCapabilities, logLevel, id: sessionId } = this.record;
    const origin: CallOrigin = {
      requestId: id,
      era: 'session',
      revision,
      principal,
      client: { info: clientInfo, capabilities: clientCapabilities },
      headers: {},
      sessionId,
      logLevel,
      notify: (name, body) => {
        if (isLive()) writer.offer(notificationOf(name, body));
      },
      ask: (request, signal) => this.clientRequests.ask(request, signal),
    };
    return dispatcher.dispatch(method, params, origin);
  }

  private update(change: SessionChange): true {
    this.record = applyChange(this.record, change);
    this.changes.change(interestOf(this.record));
    return true;
  }
}
