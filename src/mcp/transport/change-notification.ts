import type { Change } from '../session/change-bus.port.js';
import type { JsonObject } from './json-rpc.js';
import { notificationFrame } from './json-rpc.js';

/** The notification that tells a client of a change. */
export function changeNotification(change: Change): { method: string; params: JsonObject } {
  return change.kind === 'resource'
    ? { method: 'notifications/resources/updated', params: { uri: change.uri } }
    : { method: `notifications/${change.kind}/list_changed`, params: {} };
}

/** The newest change that was told: the many streams that tell of it do so one after the other. */
let newest: { readonly change: Change; readonly frame: string } | undefined;

/** The same as a message; written once for all streams. */
export function changeFrame(change: Change): string {
  if (newest?.change !== change) {
    const { method, params } = changeNotification(change);
    newest = { change, frame: notificationFrame(method, params) };
  }
  return newest.frame;
}

/** @param meta `_meta` of its params, as JSON */
export function changeFrameWith(change: Change, meta: string): string {
  // Params are the last of the message.
  const open = changeFrame(change).slice(0, -2);
  return `${open}${open.endsWith('{') ? '' : ','}"_meta":${meta}}}`;
}
