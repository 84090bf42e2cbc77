import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Substitution, inWords, substitute } from './substitution.js';

export interface Addresses {
  /** Folder that stands for the file systems of the containers. */
  readonly dir: string;
  /** Ports of loopback. */
  readonly nginx: number;
  readonly nginxHealth: number;
  /** Of each replica. */
  readonly replicas: readonly { readonly port: number; readonly managementPort: number }[];
}

/** By what `for` of the alerts is divided: a minute becomes two seconds. Windows of rates stay as they are. */
export const FOR_DIVISOR = 30;
/** Seconds between scrapes, and between evaluations; those of the committed file are five. */
const INTERVAL = '1s';

/** What is replaced in each committed file, by its path from the root of the repository. */
function substitutions({ dir, nginx, nginxHealth, replicas }: Addresses): Record<string, readonly Substitution[]> {
  const servers = replicas.map(({ port }) => `server 127.0.0.1:${port} max_fails=0;`).join('\n  ');
  const targets = replicas.map(({ managementPort }) => `127.0.0.1:${managementPort}`);
  return {
    'docker/nginx/nginx.conf': [
      // First, since the folder may lie in there, too.
      { what: '/tmp/', by: `${dir}/nginx/`, why: 'there are no mounts' },
      { what: '/etc/nginx/rookery/', by: `${dir}/`, why: 'there are no mounts' },
      { what: 'listen 127.0.0.1:8081;', by: `listen 127.0.0.1:${nginxHealth};`, why: 'the port may be taken' },
    ],
    'docker/nginx/upstream.conf': [
      { what: /^resolver.*\n/, by: '', why: 'there is no DNS of Docker' },
      { what: /^ {2}keepalive 0;\n/, by: '', why: "Debian's nginx is older, and keeps none without a word" },
      { what: 'server rookery:3000 resolve max_fails=0;', by: servers, why: 'there is no DNS of Docker' },
    ],
    'deploy/nginx/rookery.conf': [
      { what: 'listen 80;', by: `listen 127.0.0.1:${nginx};`, why: 'the port may be taken' },
    ],
    'docker/prometheus.yaml': [
      {
        what: /^ {4}dns_sd_configs:\n(?: {6,}.*\n)+/,
        by: `    static_configs:\n      - targets: [${targets.map((target) => `'${target}'`).join(', ')}]\n`,
        why: 'there is no DNS of Docker',
      },
      { what: '/etc/prometheus/', by: `${dir}/`, why: 'there are no mounts' },
      { what: /(scrape|evaluation)_interval: 5s/, by: (_, which) => `${which}_interval: ${INTERVAL}`, why: 'time' },
      { what: 'scrape_timeout: 4s', by: `scrape_timeout: ${INTERVAL}`, why: 'it must not exceed the interval' },
    ],
    'helm/rookery/files/rules.yaml': [
      // The same sum, a second at a time: whole minutes come too seldom.
      { what: /:1m\]\) \* 60$/, by: ':1s]) * 1', why: 'time' },
      { what: /for: (\d+)m$/, by: (_, minutes) => `for: ${(Number(minutes) * 60) / FOR_DIVISOR}s`, why: 'time' },
    ],
  };
}

/**
 * Writes the committed files into a folder as they can be used without containers.
 * @param root of the repository
 * @returns what was replaced, in words
 */
export function writeCommittedFiles(root: string, addresses: Addresses): string[] {
  mkdirSync(addresses.dir, { recursive: true });
  return Object.entries(substitutions(addresses)).flatMap(([path, each]) => {
    const text = substitute(path, readFileSync(join(root, path), 'utf8'), each);
    writeFileSync(join(addresses.dir, path.split('/').at(-1) ?? path), text);
    return each.map((substitution) => inWords(path, substitution));
  });
}
