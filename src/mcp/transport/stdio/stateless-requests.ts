import type { CallOrigin } from '../../dispatch/call-origin.js';
import { Operation } from '../../dispatch/operation.js';
import { STATELESS_REVISION } from '../../protocol/revisions.js';
import { discoverResult } from '../discover.js';
import { readEnvelope, requireStatelessRevision } from '../envelope.js';
import { type JsonRpcRequest, notificationOf } from '../json-rpc.js';
import type { Work } from './running-requests.js';
import type { StdioServices } from './stdio-services.js';
import { openSubscription } from './subscriptions.js';

/**
 * Starts a request of revision 2026-07-28, which says all of itself in its `_meta`.
 *
 * @param isLive whether anything may still be written for the request
 * @throws McpError when its envelope is not in order
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#request-metadata
 */
export function startStateless(services: StdioServices, message: JsonRpcRequest, isLive: () => boolean): Work {
  const { client, logLevel, version } = readEnvelope(message.params);
  requireStatelessRevision(version);
  const { dispatcher, server, writer, principal } = services;
  const operation = (): Operation => new Operation({ ...message, era: 'stateless', principal });
  switch (message.method) {
    case 'server/discover':
      return { outcome: dispatcher.run(operation(), async () => discoverResult(server)), cancel: () => undefined };
    case 'subscriptions/listen':
      return openSubscription(services, message);
    default: {
      const origin: CallOrigin = {
        requestId: message.id,
        era: 'stateless',
        revision: STATELESS_REVISION,
        principal,
        client,
        headers: {},
        logLevel,
        notify: (method, params) => {
          if (isLive()) writer.offer(notificationOf(method, params));
        },
      };
      return dispatcher.dispatch(message.method, message.params, origin);
    }
  }
}
