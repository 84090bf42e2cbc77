import { type JsonObject, isJsonObject } from '../transport/json-rpc.js';

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

/** A result without what 2026-07-28 puts around it, so that it compares equal in both eras. */
export function withoutEnvelope({
  resultType: _type,
  ttlMs: _ttl,
  cacheScope: _scope,
  ...result
}: JsonObject): JsonObject {
  return withoutMeta(result, SERVER_INFO);
}

/** The params of a notification without the id of the subscription that 2026-07-28 puts into them. */
export function withoutSubscriptionId(params: JsonObject): JsonObject {
  return withoutMeta(params, SUBSCRIPTION_ID);
}

function withoutMeta({ _meta: meta, ...rest }: JsonObject, key: string): JsonObject {
  if (!isJsonObject(meta)) return meta === undefined ? rest : { ...rest, _meta: meta };
  const { [key]: _removed, ...kept } = meta;
  return Object.keys(kept).length > 0 ? { ...rest, _meta: kept } : rest;
}
