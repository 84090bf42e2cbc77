import { z } from 'zod';
import { integer, list } from './variable-types.js';

/** How much callers may do, and where it is recorded what they did. */
export const LIMIT_VARIABLES = {
  LIMIT_PRINCIPAL_PER_MINUTE: integer(0, 1_000_000)
    .default(600)
    .describe(
      'Requests a minute of one principal, over all replicas with Redis; 0 is no limit. Anonymous callers are not one.',
    ),
  LIMIT_TENANT_PER_MINUTE: integer(0, 10_000_000)
    .default(0)
    .describe('Requests a minute of all callers of one tenant; 0 is no limit.'),
  LIMIT_CALLS_PER_PRINCIPAL: integer(0, 1_000_000)
    .default(100)
    .describe('Requests that one principal may have running on one replica; 0 is no limit.'),
  LIMIT_EVENT_LOOP_DELAY_MS: integer(0, 60_000)
    .default(1_000)
    .describe(
      'Milliseconds by which the event loop may be late before requests get 503, health checks excepted; 0 is never.',
    ),
  AUDIT_TO: list
    .default([])
    .describe('Where it is recorded who did what: stdout, redis, or paths of files; comma-separated.'),
  AUDIT_ON_FAILURE: z
    .enum(['closed', 'continue'])
    .default('continue')
    .describe('While it cannot be recorded: closed refuses operations, continue goes on and counts what is missing.'),
  AUDIT_SIGNING_KEY_FILE: z
    .string()
    .optional()
    .describe('PEM file with the Ed25519 private key that signs the audit. Without it each process makes its own.'),
  AUDIT_DIGEST_KEY: z
    .base64()
    .optional()
    .describe('Base64 of 32 bytes or more that digests of arguments are keyed with, so that nobody can guess them.'),
  AUDIT_REDIS_MAX_ENTRIES: integer(1, 2 ** 31 - 1)
    .default(1_000_000)
    .describe('Entries that the audit stream in Redis keeps, of all replicas.'),
  AUDIT_REPLICA: z.string().optional().describe('Name of this replica in the audit. Without it, the host name.'),
} as const;
