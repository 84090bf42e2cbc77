import { SUBSCRIPTION_ID_META_KEY } from '../../../protocol/meta-keys.js';
import { McpError } from '../../../protocol/errors.js';
import type { Principal } from '../../../protocol/principal.js';
import { Audience } from '../../audience.js';
import { changeFrameWith } from '../../change-notification.js';
import { type JsonObject, type JsonRpcRequest, notificationFrame } from '../../json-rpc.js';
import { readSubscriptionFilter } from '../../subscription-filter.js';
import type { HttpReply } from '../exchange.js';
import { SseResponse } from '../sse-response.js';
import type { WireServices } from '../wire-services.js';

/**
 * Answers `subscriptions/listen`: a stream that acknowledges what was granted and then carries those changes, each
 * marked with the id of the request, until the client closes it or the server stops.
 *
 * @throws McpError when the filter is wrong or no further stream can be held
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
export async function openSubscription(
  services: WireServices,
  principal: Principal,
  { id, params }: JsonRpcRequest,
  reply: HttpReply,
): Promise<void> {
  const { options, fanout, keepAlive, streams, server } = services;
  if (options.jsonOnly) throw new McpError('METHOD_NOT_FOUND', 'This server does not stream.');
  const { interest, granted } = readSubscriptionFilter(params, options.maxSubscriptions);
  const audience = new Audience(services, principal, () => stream.destroy());
  // What it may not read is refused as in any other use; what it may not see is granted, and never heard of.
  for (const uri of interest.uris) await audience.mayFollow(uri);
  const meta: JsonObject = { [SUBSCRIPTION_ID_META_KEY]: id };

  const release = streams.open(principal, () => {
    const result = { resultType: 'complete', _meta: { ...meta, 'io.modelcontextprotocol/serverInfo': server.info } };
    stream.send({ data: JSON.stringify({ jsonrpc: '2.0', id, result }) });
    stream.end();
  });
  const stream = new SseResponse(reply, keepAlive, options, 'listen');
  const metaJson = JSON.stringify(meta);

  stream.send({
    data: notificationFrame('notifications/subscriptions/acknowledged', { notifications: granted, _meta: meta }),
  });
  const entry = fanout.add(interest, ({ change }) => {
    audience.tell(change, () => {
      // A change must not be left out silently; a client that is cut off knows that it may have missed some.
      if (!stream.offer({ data: changeFrameWith(change, metaJson) })) stream.destroy();
    });
  });
  stream.onClose(() => {
    entry.remove();
    audience.close();
    release();
  });
}
