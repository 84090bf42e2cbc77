export interface BalancerState {
  readonly port: number;
  /** Addresses (host and port). */
  readonly replicas: readonly string[];
  /** Number of the configuration, by which a reload is known to be done. */
  readonly generation: number;
}

/**
 * The configuration of the balancer.
 *
 * What goes to another replica: a request whose connection was refused (`proxy_next_upstream error` passes on a POST
 * only as long as none of it was sent), and one that was answered with 503, which a replica says only when it has done
 * nothing (it stops, or its session store is away). A 503 goes on by `error_page`, with its method and its body, first
 * to a replica that is not the one which answered, then to any; the third answer stands.
 *
 * Client connections are closed after each response: a reload closes those that are idle, and a request that is just
 * then on its way would be lost. Connections to replicas are kept and used again, as ingress controllers do.
 */
export function nginxConfig({ port, replicas, generation }: BalancerState): string {
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
pid nginx.pid;
error_log error.log notice;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;

  keepalive_timeout 0;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  gzip off;
  recursive_error_pages on;

  ${upstream('replicas', replicas, 'keepalive 64;')}
  ${replicas.map((out, index) => upstream(`all_but_${index}`, others(replicas, out))).join('\n  ')}
  map $upstream_addr $others {
    default replicas;
    ${replicas.map((out, index) => `~${out.replaceAll('.', '\\.')}$ all_but_${index};`).join('\n    ')}
  }

  server {
    listen 127.0.0.1:${port} backlog=1024;
    location = /-/generation { return 200 "${generation}"; }
    location / {
      ${PROXY}
      proxy_intercept_errors on;
      error_page 503 = @again;
      proxy_pass http://replicas;
    }
    location @again {
      ${PROXY}
      proxy_intercept_errors on;
      error_page 503 = @last;
      proxy_pass http://$others;
    }
    location @last {
      ${PROXY}
      proxy_pass http://replicas;
    }
  }
}
`;
}

const PROXY = `
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering off;
      proxy_connect_timeout 2s;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
      proxy_next_upstream error;`.trim();

function upstream(name: string, replicas: readonly string[], more = ''): string {
  // A replica that refuses a connection is left to the endpoints loop: nginx itself is to believe in all of them.
  const servers = replicas.map((address) => `server ${address} max_fails=0;`);
  // An empty group is a mistake in nginx's eyes.
  if (servers.length === 0) servers.push('server 127.0.0.1:1 down;');
  return `upstream ${name} { random; ${servers.join(' ')} ${more} }`;
}

function others(replicas: readonly string[], out: string): readonly string[] {
  return replicas.length > 1 ? replicas.filter((address) => address !== out) : replicas;
}
