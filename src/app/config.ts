import { z } from 'zod';

const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const MAX_MS = 2 ** 31 - 1;

/** Every environment variable, with its default, its unit and what it does. The only place that knows them. */
export const CONFIG_SCHEMA = z.object({
  PORT: integer(0, 65_535).default(3000).describe('TCP port to listen on; 0 picks a free one.'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  MCP_PATH: z
    .string()
    .regex(/^\/[\w\-./]*$/, 'must begin with "/" and hold letters, digits, "-", "_", "." and "/"')
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
  MCP_SESSION_IDLE_MS: integer(1000, MAX_MS).default(1_800_000).describe('Milliseconds until an unused session ends.'),
  MCP_SESSION_MAX_MS: integer(1000, MAX_MS).default(86_400_000).describe('Milliseconds until any session ends.'),
  MCP_MAX_SESSIONS: integer(1, 10_000_000).default(10_000).describe('Sessions open at a time.'),
  MCP_REQUEST_STATE_KEYS: z
    .string()
    .optional()
    .describe(
      'Keys that seal the state of calls waiting for input: id:base64 of 32 bytes, comma-separated, newest first.',
    ),
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
  const parsed = CONFIG_SCHEMA.safeParse(set);
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
