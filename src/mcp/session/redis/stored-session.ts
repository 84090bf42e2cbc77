import type { LoggingLevel } from '@modelcontextprotocol/server';
import type { SessionRecord } from '../session-record.js';

/** What the scripts return of a session: the fields of its hash, and the URIs it subscribed to. */
export type StoredFields = [
  record: string,
  logLevel: LoggingLevel | null,
  seen: string,
  createdAt: string,
  subscriptions: string[],
];

type Constant = Pick<SessionRecord, 'revision' | 'clientInfo' | 'clientCapabilities'>;

/** What never changes of a record, as it is stored. */
export function constantOf({ revision, clientInfo, clientCapabilities }: Constant): string {
  return JSON.stringify({ revision, clientInfo, clientCapabilities } satisfies Constant);
}

export function recordOf(
  { id, owner }: Pick<SessionRecord, 'id' | 'owner'>,
  [constant, logLevel, seen, createdAt, subscriptions]: StoredFields,
): SessionRecord {
  const { revision, clientInfo, clientCapabilities } = JSON.parse(constant) as Constant;
  return {
    id,
    owner,
    revision,
    clientInfo,
    clientCapabilities,
    logLevel: logLevel ?? undefined,
    subscriptions,
    seen,
    createdAt: Number(createdAt),
  };
}
