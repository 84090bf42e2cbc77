import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.js';
import { type ComposeFile, readComposeFile } from './compose-file.js';
import { writeCommittedFiles } from './committed-files.js';
import { ServiceProcess } from './service-process.js';

export interface TopologyOptions {
  /** Root of the repository. */
  readonly root: string;
  /** The compiled `main.js`. */
  readonly script: string;
  /** Of the person who would call `docker compose`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ports that nginx and Prometheus are published at. Default: any that are free. */
  readonly published?: { readonly nginx: number; readonly prometheus: number };
}

export interface RunningReplica {
  readonly process: ServiceProcess;
  /** Host and port of MCP. */
  readonly address: string;
  /** Host and port of health and metrics. */
  readonly management: string;
}

/**
 * What docker/compose.yaml describes, without Docker: Redis, the replicas, nginx and Prometheus as processes on loopback,
 * with the options, the environment and the configuration files of the compose file. Grafana is not there.
 */
export class Topology implements AsyncDisposable {
  readonly replicas: RunningReplica[] = [];
  /** What of the committed files is not as it is, in words. */
  substitutions: readonly string[] = [];
  private readonly services: ServiceProcess[] = [];
  private readonly dir = mkdtempSync(join(tmpdir(), 'rookery-topology-'));
  private ports = { nginx: 0, prometheus: 0 };

  private constructor(private readonly options: TopologyOptions) {}

  /** Resolves when all services serve. */
  static async start(options: TopologyOptions): Promise<Topology> {
    const topology = new Topology(options);
    try {
      await topology.up();
      return topology;
    } catch (cause) {
      await topology[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** The MCP endpoint, through nginx. */
  get url(): string {
    return `http://127.0.0.1:${this.ports.nginx}/mcp`;
  }

  get prometheusUrl(): string {
    return `http://127.0.0.1:${this.ports.prometheus}`;
  }

  /** What each service has printed. */
  get logs(): string {
    return this.services.map(({ name, log }) => `--- ${name}\n${log}`).join('\n');
  }

  /** Ends everything, in the order of `docker compose down`: nobody loses what it needs. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.services.toReversed()) await service.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async up(): Promise<void> {
    const { root, env = {} } = this.options;
    const compose = readComposeFile(join(root, 'docker/compose.yaml'), env);
    const redis = await this.redis(compose);
    const count = Number(compose.services['rookery']?.deploy?.replicas);
    const ports = [];
    for (let n = 0; n < count; n += 1) ports.push({ port: await freePort(), managementPort: await freePort() });
    this.replicas.push(...(await Promise.all(ports.map((own, n) => this.replica(compose, redis, { ...own, n })))));
    await this.nginxAndPrometheus(compose, ports);
  }

  private async start(service: Omit<Parameters<typeof ServiceProcess.start>[0], 'dir'>): Promise<ServiceProcess> {
    const started = await ServiceProcess.start({ dir: this.dir, ...service });
    this.services.push(started);
    return started;
  }

  /** @returns host and port */
  private async redis(compose: ComposeFile): Promise<string> {
    const port = await freePort();
    const command = [...(compose.services['redis']?.command ?? []), '--port', String(port), '--bind', '127.0.0.1'];
    await this.start({ name: 'redis', command, answers: () => accepts(port) });
    return `127.0.0.1:${port}`;
  }

  private async replica(
    compose: ComposeFile,
    redis: string,
    { n, port, managementPort }: { n: number; port: number; managementPort: number },
  ): Promise<RunningReplica> {
    const said = compose.services['rookery']?.environment ?? {};
    const env = {
      // What the image sets.
      NODE_ENV: 'production',
      ...said,
      ...{ HOST: '127.0.0.1', PORT: String(port), MANAGEMENT_PORT: String(managementPort) },
      REDIS_URL: (said['REDIS_URL'] ?? '').replace('redis:6379', redis),
    };
    const answers = `http://127.0.0.1:${managementPort}/health/live`;
    const command = [process.execPath, this.options.script];
    const started = await this.start({ name: `rookery-${n + 1}`, command, env, answers });
    return { process: started, address: `127.0.0.1:${port}`, management: `127.0.0.1:${managementPort}` };
  }

  private async nginxAndPrometheus(
    { services }: ComposeFile,
    replicas: readonly { readonly port: number; readonly managementPort: number }[],
  ): Promise<void> {
    const { dir, options } = this;
    const nginxHealth = await freePort();
    this.ports = options.published ?? { nginx: await freePort(), prometheus: await freePort() };
    const { nginx, prometheus } = this.ports;
    this.substitutions = writeCommittedFiles(options.root, { dir, nginx, nginxHealth, replicas });
    const [binary = 'nginx', ...args] = services['nginx']?.entrypoint ?? [];
    // A root that starts it is not to have workers that cannot read the folder.
    const asRoot = process.getuid?.() === 0 ? ' user root;' : '';
    await this.start({
      name: 'nginx',
      command: [binary, ...args.slice(0, -1), `${args.at(-1) ?? ''}${asRoot}`, '-c', join(dir, 'nginx.conf')],
      stopSignal: 'QUIT',
      answers: `http://127.0.0.1:${nginxHealth}/healthy`,
    });
    const flags = (services['prometheus']?.command ?? []).map((flag) =>
      flag.replace('/etc/prometheus', dir).replace('=/prometheus', `=${dir}/prometheus/data`),
    );
    await this.start({
      name: 'prometheus',
      command: ['prometheus', ...flags, `--web.listen-address=127.0.0.1:${prometheus}`],
      answers: `${this.prometheusUrl}/-/ready`,
    });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(() => resolve(true)));
    socket.on('error', () => resolve(false));
  });
}
