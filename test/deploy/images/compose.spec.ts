import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CONFIG_SCHEMA, readConfig } from '../../../src/app/config.js';

const FOLDER = resolve(import.meta.dirname, '../../../docker');

interface Service {
  readonly image: string;
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly command?: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly stop_grace_period: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy: {
    readonly replicas?: string;
    readonly resources: { readonly limits: Readonly<Record<string, unknown>> };
  };
}

interface Compose {
  readonly version?: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const text = readFileSync(join(FOLDER, 'compose.yaml'), 'utf8');
const VARIABLE = /\$\{(\w+):-([^}]*)\}/g;
/** With the defaults in place of the variables, as where there is no .env: strings, whatever they look like. */
const compose = parse(
  text,
  (_key, value: unknown) => (typeof value === 'string' ? value.replace(VARIABLE, '$2') : value),
  {
    merge: true,
  },
) as Compose;
const services = Object.entries(compose.services);
const service = (name: string): Service => compose.services[name] as Service;

/** What compose.yaml itself has, besides what the platform reads. */
const OF_COMPOSE = [
  'GRAFANA_IMAGE',
  'GRAFANA_PUBLISHED_PORT',
  'MCP_BIND',
  'MCP_PUBLISHED_PORT',
  'NGINX_IMAGE',
  'PROMETHEUS_IMAGE',
  'PROMETHEUS_PUBLISHED_PORT',
  'PROMETHEUS_RETENTION',
  'REDIS_IMAGE',
  'REDIS_MAXMEMORY',
  'REDIS_MEMORY',
  'ROOKERY_CPUS',
  'ROOKERY_IMAGE',
  'ROOKERY_MEMORY',
  'ROOKERY_REPLICAS',
  'ROOKERY_STOP_GRACE',
];

describe('compose.yaml', () => {
  it('starts three replicas, nginx, Redis, Prometheus and Grafana, after the Compose specification', () => {
    expect(services.map(([name]) => name)).toEqual(['rookery', 'nginx', 'redis', 'prometheus', 'grafana']);
    expect(compose.version).toBeUndefined();
    expect(String(service('rookery').deploy.replicas)).toBe('3');
  });

  describe.each(services)('%s', (_name, one) => {
    it('is an exact version', () => {
      expect(one.image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)?$/);
    });

    it('runs without root, capabilities and new privileges, on a file system that it cannot write to', () => {
      expect(one.user).toMatch(/^[1-9]\d*:\d+$/);
      expect(one.read_only).toBe(true);
      expect(one.cap_drop).toEqual(['ALL']);
      expect(one.cap_add).toBeUndefined();
      expect(one.privileged).toBeUndefined();
      expect(one.security_opt).toEqual(['no-new-privileges:true']);
    });

    it('has limits, a health check and time to stop', () => {
      expect(Object.keys(one.deploy.resources.limits)).toEqual(['cpus', 'memory', 'pids']);
      expect(one.healthcheck.test[0]).toMatch(/^CMD(-SHELL)?$/);
      expect(one.stop_grace_period).toMatch(/^\d+s$/);
    });

    it('mounts files that are there, read-only, and volumes and networks that are declared', () => {
      const mounts = (one.volumes ?? []).map((volume) => volume.split(':') as [string, string, string?]);
      const files = mounts.filter(([source]) => source.startsWith('.'));
      const volumes = mounts.filter(([source]) => !source.startsWith('.'));

      expect(files.filter(([source]) => !existsSync(join(FOLDER, source)))).toEqual([]);
      expect(files.filter(([, , mode]) => mode !== 'ro')).toEqual([]);
      expect(volumes.filter(([source]) => !(source in compose.volumes))).toEqual([]);
      expect(one.networks.filter((network) => !(network in compose.networks))).toEqual([]);
    });

    it('waits for what is healthy', () => {
      const conditions = Object.entries(one.depends_on ?? {});

      expect(conditions.filter(([name]) => !(name in compose.services))).toEqual([]);
      expect(conditions.filter(([, { condition }]) => condition !== 'service_healthy')).toEqual([]);
    });
  });

  it('publishes nginx, Prometheus and Grafana, to this machine only', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));

    expect(published).toEqual([
      'nginx 127.0.0.1:8080:80',
      'prometheus 127.0.0.1:9090:9090',
      'grafana 127.0.0.1:3001:3000',
    ]);
    expect(compose.networks['redis']).toEqual({ internal: true });
    expect(services.filter(([, { networks }]) => networks.includes('redis')).map(([name]) => name)).toEqual([
      'rookery',
      'redis',
    ]);
  });

  it('gives the replicas what the platform reads, and nothing that it would refuse', () => {
    const environment = service('rookery').environment ?? {};

    expect(Object.keys(environment).filter((name) => !(name in CONFIG_SCHEMA.shape))).toEqual([]);
    expect(() => readConfig(environment)).not.toThrow();
  });

  it('lets a stop take as long as the calls that it waits for, and five seconds', () => {
    const { environment = {}, stop_grace_period: grace } = service('rookery');
    const config = readConfig(environment);

    expect(config.MCP_DRAIN_GRACE_MS).toBeGreaterThanOrEqual(config.MCP_CALL_TIMEOUT_MS);
    expect(parseInt(grace) * 1000).toBeGreaterThanOrEqual(config.MCP_DRAIN_GRACE_MS + 5_000);
  });

  it('has the Redis of the chart', () => {
    const values = parse(readFileSync(join(FOLDER, '../helm/rookery/values.yaml'), 'utf8'));

    expect(service('redis').image).toBe(`redis:${values.redis.bundled.image.tag}`);
  });

  it('lets Redis evict nothing, and keep what it has', () => {
    const command = service('redis').command?.join(' ');

    expect(command).toContain('--maxmemory-policy noeviction');
    expect(command).toContain('--appendonly yes');
  });

  it('takes from .env what .env.example tells of, and the other way round', () => {
    const used = new Set([...text.matchAll(VARIABLE)].map(([, name = '']) => name));
    const example = readFileSync(join(FOLDER, '.env.example'), 'utf8');
    const told = [...example.matchAll(/^#([A-Z]\w*)=(.*)$/gm)].map(([, name = '']) => name);

    expect([...used].filter((name) => !told.includes(name))).toEqual([]);
    expect([...used].filter((name) => !(name in CONFIG_SCHEMA.shape)).sort()).toEqual(OF_COMPOSE);
    expect(told.filter((name) => !used.has(name) && !(name in CONFIG_SCHEMA.shape) && !/^OTEL_/.test(name))).toEqual(
      [],
    );
  });
});

describe('the configuration of Prometheus and Grafana', () => {
  const yaml = (file: string) => parse(readFileSync(join(FOLDER, file), 'utf8'));
  const mountsOf = (name: string) => (service(name).volumes ?? []).map((volume) => volume.split(':')[1]);

  it('finds the replicas by their name, at their management port, and the rules', () => {
    const prometheus = yaml('prometheus.yaml');

    expect(prometheus.scrape_configs).toMatchObject([
      { job_name: 'rookery', dns_sd_configs: [{ names: ['rookery'], type: 'A', port: 9464 }] },
    ]);
    expect(mountsOf('prometheus')).toEqual(expect.arrayContaining(prometheus.rule_files));
  });

  it('shows the dashboard over the Prometheus of the file', () => {
    const [source] = yaml('grafana/datasources/prometheus.yaml').datasources;
    const [provider] = yaml('grafana/dashboards/rookery.yaml').providers;

    expect(source).toMatchObject({ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true });
    expect(mountsOf('grafana').map((mount) => dirname(mount ?? ''))).toContain(provider.options.path);
  });
});
