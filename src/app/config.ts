import { z } from 'zod';
import { AUTH_VARIABLES } from './auth-variables.js';
import { LIMIT_VARIABLES } from './limit-variables.js';
import { OPERATION_VARIABLES } from './operation-variables.js';
import { flag, integer, list } from './variable-types.js';

const MAX_MS = 2 ** 31 - 1;

/** Every environment variable, with its default, its unit and what it does. The only place that knows them. */
export const CONFIG_SCHEMA = z.object({
  PORT: integer(0, 65_535).default(3000).describe('TCP port to listen on; 0 picks a free one.'),
  HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. One that others can reach needs authentication, or AUTH_MODE=none.'),
  TRUSTED_PROXIES: list
    .default([])
    .describe('Addresses or CIDR ranges of proxies whose X-Forwarded headers are believed; comma-separated.'),
  ...AUTH_VARIABLES,
  ...LIMIT_VARIABLES,
  ...OPERATION_VARIABLES,
  MCP_PATH: z
    .string()
    .regex(
      /^\/([\w-][\w.-]*(\/[\w-][\w.-]*)*\/?)?$/,
      'must begin with "/" and be names of letters, digits, "-", "_" and "." with one "/" between them; none begins with "."',
    )
    .default('/mcp')
    .describe('Path of the MCP endpoint.'),
  MCP_ALLOWED_HOSTS: list
    .default(['localhost', '127.0.0.1', '[::1]'])
    .describe('Host names, without port, that requests may be addressed to; comma-separated, "*" allows any.'),
  MCP_ALLOWED_ORIGINS: list
    .default([])
    .describe('Origins that browsers may call from, as https://app.example.com; comma-separated.'),
  MCP_JSON_ONLY: flag.default(false).describe('true answers with plain JSON only, for proxies that cannot stream.'),
  MCP_MAX_BODY_BYTES: integer(1024, 2 ** 30)
    .default(1024 * 1024)
    .describe('Bytes a request body may have.'),
  MCP_MAX_RESULT_BYTES: integer(1024, 2 ** 30)
    .default(4 * 1024 * 1024)
    .describe('Bytes a result may have.'),
  MCP_CALL_TIMEOUT_MS: integer(1, MAX_MS)
    .default(60_000)
    .describe('Milliseconds a call may take unless its decorator says otherwise; waiting for the user is not counted.'),
  MCP_PAGE_SIZE: integer(1, 10_000).default(250).describe('Entries a page of a list has.'),
  MCP_LIST_TTL_MS: integer(0, MAX_MS).default(0).describe('Milliseconds clients may keep lists; 0 is not at all.'),
  MCP_KEEP_ALIVE_MS: integer(100, MAX_MS)
    .default(15_000)
    .describe('Milliseconds between keep-alive comments on streams.'),
  MCP_MAX_STREAMS: integer(1, 1_000_000).default(10_000).describe('Streams that clients may hold open at a time.'),
  MCP_MAX_STREAMS_PER_PRINCIPAL: integer(1, 1_000_000)
    .default(100)
    .describe(
      'Streams that one principal may hold open at a time; anonymous callers are bound by MCP_MAX_STREAMS alone.',
    ),
  MCP_SESSION_IDLE_MS: integer(1000, MAX_MS).default(1_800_000).describe('Milliseconds until an unused session ends.'),
  MCP_SESSION_MAX_MS: integer(1000, MAX_MS).default(86_400_000).describe('Milliseconds until any session ends.'),
  MCP_MAX_SESSIONS: integer(1, 10_000_000).default(10_000).describe('Sessions open at a time.'),
  MCP_MAX_SESSIONS_PER_PRINCIPAL: integer(1, 10_000_000)
    .default(1_000)
    .describe('Sessions of one principal open at a time; anonymous callers are bound by MCP_MAX_SESSIONS alone.'),
  MCP_DRAIN_DELAY_MS: integer(0, MAX_MS)
    .default(0)
    .describe('Milliseconds a server that stops goes on taking connections, until balancers have heard of it.'),
  MCP_DRAIN_GRACE_MS: integer(0, MAX_MS)
    .default(25_000)
    .describe(
      'Milliseconds that running calls have, from the beginning of a stop, until they are stopped with an error.',
    ),
  MCP_REQUEST_STATE_KEYS: z
    .string()
    .optional()
    .describe(
      'Keys that seal the state of calls waiting for input: id:base64 of 32 bytes, comma-separated, newest first. Without them replicas share one through Redis, or a process makes its own.',
    ),
  REDIS_URL: z
    .string()
    .optional()
    .describe(
      'Redis that keeps the sessions, so that any replica serves any of them: redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://. Without it they are in the memory of the one process.',
    ),
  REDIS_USERNAME: z.string().optional().describe('ACL user of Redis; wins over the one in REDIS_URL.'),
  REDIS_PASSWORD: z.string().optional().describe('Password of Redis; wins over the one in REDIS_URL.'),
  REDIS_SENTINEL_PASSWORD: z.string().optional().describe('Password of the sentinels.'),
  REDIS_TLS_CA_FILE: z.string().optional().describe('File with the CA certificates, as PEM, that Redis is trusted by.'),
  REDIS_TLS_SERVERNAME: z.string().optional().describe('Name that the certificate of Redis must be for.'),
  REDIS_KEY_PREFIX: z
    .string()
    .regex(/^[\w:.-]*$/, 'must hold letters, digits, ":", ".", "_" and "-"')
    .default('rookery:')
    .describe('What all names of keys and channels in Redis begin with; one for each installation.'),
  REDIS_COMMAND_TIMEOUT_MS: integer(50, 60_000)
    .default(1_000)
    .describe('Milliseconds until a command that Redis does not answer has failed.'),
  WEATHER_GEOCODING_URL: z
    .url()
    .default('https://geocoding-api.open-meteo.com')
    .describe('Base URL of the Open-Meteo geocoding API.'),
  WEATHER_FORECAST_URL: z
    .url()
    .default('https://api.open-meteo.com')
    .describe('Base URL of the Open-Meteo forecast API.'),
  WEATHER_TIMEOUT_MS: integer(1, MAX_MS).default(5_000).describe('Milliseconds a request to the weather API may take.'),
});

export type Config = z.output<typeof CONFIG_SCHEMA>;

/**
 * Reads the configuration; an empty variable counts as not set.
 * @throws Error that names every variable that is wrong, and why
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  // Read once: compiling the schema first, as zod would, takes longer than to read by it.
  const parsed = CONFIG_SCHEMA.safeParse(set, { jitless: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new Error(`The configuration is not usable:\n${problems.join('\n')}`);
}

/** The configuration as a Markdown table; the documentation holds it word for word. */
export function configurationTable(): string {
  const rows = Object.entries(CONFIG_SCHEMA.shape).map(
    ([name, schema]) => `| \`${name}\` | ${defaultOf(schema)} | ${schema.description ?? ''} |`,
  );
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function defaultOf(schema: z.ZodType): string {
  const value = schema.safeParse(undefined).data;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  return `\`${Array.isArray(value) ? value.join(',') : JSON.stringify(value).replaceAll('"', '')}\``;
}
