import type { Change } from '../session/change-bus.port.js';
import type { JsonObject } from './json-rpc.js';

/** The notification that tells a client of a change. */
export function changeNotification(change: Change): { method: string; params: JsonObject } {
  return change.kind === 'resource'
    ? { method: 'notifications/resources/updated', params: { uri: change.uri } }
    : { method: `notifications/${change.kind}/list_changed`, params: {} };
}
