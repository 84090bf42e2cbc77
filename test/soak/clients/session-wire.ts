import { type Json, initialize } from '../../support/wire.js';
import type { Exchange } from './exchange.js';
import { type Meter, untilTaken } from './meter.js';

const BOTH = 'application/json, text/event-stream';
const JSON_HEADERS = { 'content-type': 'application/json', accept: BOTH };

export type SessionRevision = '2025-11-25' | '2025-06-18';

/** A session on the wire: each request goes through the balancer by itself. */
export class SessionWire {
  private lastId = 0;

  private constructor(
    private readonly meter: Meter,
    readonly id: string,
    readonly revision: SessionRevision,
  ) {}

  /** @throws RequestFailed */
  static async open(meter: Meter, revision: SessionRevision): Promise<SessionWire> {
    const body = JSON.stringify(initialize(revision, { elicitation: {} }));
    const { response } = await untilTaken(() =>
      meter.send('initialize', { method: 'POST', headers: JSON_HEADERS, body, statuses: [200] }),
    );
    const wire = new SessionWire(meter, String(response.headers['mcp-session-id']), revision);
    await untilTaken(() => wire.post('initialized', { jsonrpc: '2.0', method: 'notifications/initialized' }));
    return wire;
  }

  /** Sends a request, under an id of its own at each attempt, until it is taken. @throws RequestFailed */
  request(what: string, method: string, params: Json = {}, statuses: readonly number[] = [200]): Promise<Exchange> {
    return untilTaken(() => {
      const id = (this.lastId += 1);
      const withToken = method === 'tools/call' ? { ...params, _meta: { progressToken: id } } : params;
      return this.post(what, { jsonrpc: '2.0', id, method, params: withToken }, statuses);
    });
  }

  /** Answers a request of the server. @throws RequestFailed */
  async answer(id: unknown, result: Json): Promise<void> {
    await untilTaken((attempt) =>
      // One that was refused may have come through all the same; then nobody waits for it any more.
      this.post('answer', { jsonrpc: '2.0', id, result }, attempt === 1 ? [202] : [202, 400]),
    );
  }

  /** @throws RequestFailed */
  get(what: string, lastEventId?: string): Promise<Exchange> {
    const resumed = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const headers = { ...this.headers, accept: 'text/event-stream', ...resumed };
    return this.meter.send(what, { method: 'GET', headers, statuses: [200] });
  }

  /** @throws RequestFailed */
  async delete(): Promise<void> {
    await untilTaken((attempt) =>
      this.meter.send('DELETE', {
        method: 'DELETE',
        headers: this.headers,
        statuses: attempt === 1 ? [204] : [204, 404],
      }),
    );
    await this.request('ping after DELETE', 'ping', {}, [404]);
  }

  private post(what: string, message: Json, statuses: readonly number[] = [202]): Promise<Exchange> {
    const headers = { ...JSON_HEADERS, ...this.headers };
    return this.meter.send(what, { method: 'POST', headers, body: JSON.stringify(message), statuses });
  }

  private get headers(): Record<string, string> {
    return { 'mcp-session-id': this.id, 'mcp-protocol-version': this.revision };
  }
}
