import { ENVELOPE, type Json, statelessHeaders } from '../../support/wire.js';
import type { Exchange } from './exchange.js';
import type { Meter } from './meter.js';

const CAPABILITIES = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };

/** Requests of revision 2026-07-28. */
export class StatelessWire {
  private lastId = 0;

  constructor(private readonly meter: Meter) {}

  /** @throws RequestFailed */
  request(what: string, method: string, params: Json = {}): Promise<Exchange> {
    const id = (this.lastId += 1);
    const meta = { ...ENVELOPE, ...CAPABILITIES, ...(method === 'tools/call' && { progressToken: id }) };
    return this.meter.send(what, {
      method: 'POST',
      headers: statelessHeaders(method, params),
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
      statuses: [200],
    });
  }
}
