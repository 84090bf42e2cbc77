import type { Contestant } from './harness/contestant.js';

const peer = (name: string): string => `bench/servers/${name}.js`;
const ROOKERY = 'dist-bench/servers/rookery.js';

export const RAW_HTTP: Contestant = {
  name: 'raw node:http',
  file: peer('raw-http'),
  wire: 'stateless',
  validates: false,
};

export const RAW_FASTIFY: Contestant = {
  name: 'raw Fastify',
  file: peer('raw-fastify'),
  wire: 'stateless',
  validates: false,
};

type Variant = Partial<Omit<Contestant, 'file'>>;

export function rookery(name = 'Rookery', { env = {}, ...rest }: Variant = {}): Contestant {
  return { name, file: ROOKERY, wire: 'stateless', env, ...rest };
}

export function rookerySessions(name = 'Rookery, sessions', variant: Variant = {}): Contestant {
  return rookery(name, { wire: 'session', ...variant });
}

export function mcpNest(mode: 'stateless' | 'session-json' | 'session', env = {}): Contestant {
  const wire = mode === 'stateless' ? 'stateless' : 'session';
  return { name: `mcp-nest, ${mode}`, file: peer('mcp-nest'), wire, isSlow: true, env: { MODE: mode, ...env } };
}

export function sdkV2(env = {}): Contestant {
  return { name: 'SDK v2', file: peer('sdk-v2'), wire: 'stateless', isSlow: true, env };
}

export function sdkV1(mode: 'stateless' | 'session-json' | 'session', env = {}): Contestant {
  const wire = mode === 'stateless' ? '2025-stateless' : 'session';
  return { name: `SDK v1, ${mode}`, file: peer('sdk-v1'), wire, isSlow: true, env: { MODE: mode, ...env } };
}

export const SDK_V1_SSE: Contestant = {
  name: 'SDK v1, HTTP+SSE',
  file: peer('sdk-v1'),
  path: '/sse',
  wire: 'sse',
  env: { MODE: 'sse' },
};

export function fastmcp(mode: 'stateless' | 'session-json' | 'session', env = {}): Contestant {
  const wire = mode === 'stateless' ? '2025-stateless' : 'session';
  return { name: `fastmcp, ${mode}`, file: peer('fastmcp'), wire, isSlow: true, env: { MODE: mode, ...env } };
}
