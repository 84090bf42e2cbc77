import { SERVER_INFO_META_KEY, SUBSCRIPTION_ID_META_KEY } from '../../protocol/meta-keys.js';
import { Operation } from '../../dispatch/operation.js';
import type { Outcome } from '../../dispatch/outcome.js';
import { Audience } from '../audience.js';
import { changeNotification } from '../change-notification.js';
import { type JsonObject, type JsonRpcRequest, notificationFrame, responseFrame } from '../json-rpc.js';
import { readSubscriptionFilter } from '../subscription-filter.js';
import type { Work } from './running-requests.js';
import type { StdioServices } from './stdio-services.js';

/**
 * Answers `subscriptions/listen`: acknowledges what was granted and then writes those changes, each marked with the id
 * of the request, until the client cancels it or the server stops.
 *
 * @throws McpError when the filter is wrong
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
export function openSubscription(services: StdioServices, message: JsonRpcRequest): Work {
  const { fanout, writer, server, options, principal, operations } = services;
  const { id, params } = message;
  const { interest, granted } = readSubscriptionFilter(params, options.maxSubscriptions);
  const meta: JsonObject = { [SUBSCRIPTION_ID_META_KEY]: id };
  const frame = (method: string, body: JsonObject): string => notificationFrame(method, { ...body, _meta: meta });
  const operation = new Operation({ ...message, era: 'stateless', principal });
  const audience = new Audience(services, principal, () => close());
  let state: 'opening' | 'open' | 'closed' = 'opening';

  let settle!: (outcome: Outcome) => void;
  const closed = new Promise<Outcome>((resolve) => (settle = resolve));
  let unlisten = (): void => undefined;
  const close = (): void => {
    state = 'closed';
    unlisten();
    audience.close();
    settle({ kind: 'cancelled' });
  };

  const listen = async (): Promise<Outcome> => {
    await operations.watch(operation, async () => {
      await operations.admit(operation, undefined);
      for (const uri of interest.uris) await audience.mayFollow(uri);
    });
    if (state === 'closed') return closed;
    state = 'open';
    writer.write(frame('notifications/subscriptions/acknowledged', { notifications: granted }));
    const entry = fanout.add(interest, ({ change }) => {
      const { method, params: body } = changeNotification(change);
      audience.tell(change, () => writer.announce(frame(method, body), () => state === 'open'));
    });
    unlisten = () => entry.remove();
    return closed;
  };
  return {
    outcome: listen(),
    cancel: close,
    /**
     * The response says that the end is in good order ("Graceful Closure"); then the stream is closed, which on a
     * shared channel is a notification (basic/patterns/cancellation): in this order, or a client takes the end for an
     * abrupt one and the response for a stray.
     */
    end: () => {
      const wasOpen = state === 'open';
      close();
      if (!wasOpen) return;
      const result = { resultType: 'complete', _meta: { ...meta, [SERVER_INFO_META_KEY]: server.info } };
      writer.write(responseFrame(id, { kind: 'result', json: JSON.stringify(result) }));
      writer.write(frame('notifications/cancelled', { requestId: id, reason: 'The server is stopping.' }));
    },
  };
}
