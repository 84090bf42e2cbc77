import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { until } from '../../support/cluster/until.js';
import { WireSession, statelessRequest } from '../../support/wire.js';
import { Load } from '../../e2e/cluster/load.js';
import { listening, streamIn, subscribe } from '../../e2e/cluster/streaming.js';
import { callAt, callIn } from '../../e2e/cluster/test-cluster.js';
import { Backends } from './backends.js';
import type { ProxyProcess } from './proxy-process.js';
import { Replicas } from './replicas.js';

export interface ProxyUnderTest {
  readonly name: string;
  /** Environment that the configuration asks for, where it is not the default. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * How many pages of 502 are let through while three replicas are replaced under load. None of a proxy that learns of a
   * stop by checks before connections are refused. One that does not may lose what it sends at the very moment at which
   * a replica stops listening: reset, and not repeated, since it may have been done.
   */
  readonly badGateways: number;
  /** Starts it in front of these, from the committed configuration. */
  start(ports: Replicas['ports']): Promise<ProxyProcess>;
}

/** A server behind a proxy needs authentication, or to be told that it needs none. */
const SETTINGS = { AUTH_MODE: 'none', TRUSTED_PROXIES: '127.0.0.1', MCP_DRAIN_GRACE_MS: '15000' };

/** What every proxy that we have a configuration for does, with it. */
export function proxyContract(proxy: ProxyUnderTest): void {
  describe(`${proxy.name} with the committed configuration`, () => {
    let replicas: Replicas;
    let front: ProxyProcess;
    let url: string;
    beforeAll(async () => {
      replicas = await Replicas.start({ ...SETTINGS, ...proxy.env });
      front = await proxy.start(replicas.ports);
      url = `${front.url}/mcp`;
    });
    afterAll(async () => {
      await front?.[Symbol.asyncDispose]();
      await replicas?.[Symbol.asyncDispose]();
    });
    it('spreads calls without a session over all replicas', async () => {
      const answers = await Promise.all(Array.from({ length: 60 }, () => callAt(url, 'echo', { text: 'hi' })));

      expect(new Set(answers)).toEqual(new Set(replicas.pids.map((pid) => `${pid} hi`)));
    });

    it('serves the official client, and its session on every replica', async () => {
      const client = new Client({ name: 'proxy-test', version: '1.0.0' });
      const transport = new StreamableHTTPClientTransport(new URL(url));
      await client.connect(transport);

      const texts = new Set<string>();
      for (let call = 0; call < 60; call++) {
        const { content } = await client.callTool({ name: 'echo', arguments: { text: 'hi' } });
        texts.add((content as { text: string }[])[0]?.text ?? '');
      }
      await client.close();

      expect(texts).toEqual(new Set(replicas.pids.map((pid) => `${pid} hi`)));
    });

    it('passes on what a call reports before the call ends', async () => {
      const session = await WireSession.open(url);
      const stream = await streamIn(session, 'gated', { to: 2, until: 1, gate: proxy.name }, 'call');

      expect(await stream.message()).toMatchObject({ params: { progress: 1 } });
      // The call waits for this; the gate is known to one replica.
      await until('the gate is open', async () => (await callIn(session, 'open', { name: proxy.name })) === 'opened');

      expect(await stream.message()).toMatchObject({ params: { progress: 2 } });
      expect(await stream.message()).toMatchObject({ id: 'call', result: {} });
    });

    it('holds a GET stream, and passes on what is published at any replica', async () => {
      const session = await WireSession.open(url);
      await subscribe(session, 'notes://first');
      const stream = await listening(session);

      for (const pid of replicas.pids) {
        await until('the change is published there', async () =>
          (await callIn(session, 'echo', { text: '' })).startsWith(String(pid)),
        );
        await callAt(url, 'touch', { uris: ['notes://first'] });
        expect(await stream.message()).toMatchObject({ params: { uri: 'notes://first' } });
      }
      stream.cut();
    });

    it('shows nobody health and metrics', async () => {
      const paths = ['/health', '/health/ready', '/metrics'];

      const answers = await Promise.all(paths.map(async (path) => (await fetch(`${front.url}${path}`)).status));

      expect(answers).toEqual([404, 404, 404]);
    });

    it('never repeats a call whose replica died over it', async () => {
      const hangs = (index: number) => callAt(replicas.get(index).url, 'hangs');
      // HAProxy says nothing at all when it has used the connection to the replica before: 502, or the connection closes.
      const outcome = statelessRequest(url, 'tools/call', { name: 'hang', arguments: { name: 'once' } }).then(
        ({ status }) => status,
        () => 'closed',
      );
      const at = await until('a replica has begun', async () => {
        const begun = (await Promise.all([hangs(0), hangs(1), hangs(2)])).findIndex((all) => all.includes('once'));
        return begun < 0 ? undefined : { begun };
      });

      await replicas.get(at.begun).kill();
      expect([502, 'closed']).toContain(await outcome);
      const others = [0, 1, 2].filter((index) => index !== at.begun);
      const elsewhere = await Promise.all(others.map(hangs));
      await replicas.revive(at.begun);

      expect(elsewhere).toEqual(['{}', '{}']);
    });

    const what = proxy.badGateways === 0 ? 'no request' : 'next to nothing';
    it(`fails ${what} while each replica is stopped and replaced`, async ({ annotate }) => {
      const held = await WireSession.open(url);
      const before = replicas.pids;
      const calls = new Load(() => callAt(url, 'echo', { text: 'hi' }), { loops: 2 });
      const sessions = new Load(async () => callIn(await WireSession.open(url), 'echo', { text: 'hi' }), { loops: 2 });
      const inSession = new Load(() => callIn(held, 'steps', { to: 3, everyMs: 20 }));

      const codes = [await replicas.replace(0), await replicas.replace(1), await replicas.replace(2)];
      await until('all new replicas are asked', async () => {
        const seen = await Promise.all(Array.from({ length: 30 }, () => callAt(url, 'echo', { text: '' })));
        return new Set(seen).size === 3;
      });
      await Promise.all([calls.stop(), sessions.stop(), inSession.stop()]);

      expect(codes).toEqual([0, 0, 0]);
      const failures = [...calls.failures, ...sessions.failures, ...inSession.failures];
      // The page of nginx for 502, where JSON was expected.
      const pages = failures.filter((failure) => failure.includes('<html>'));
      expect(failures.filter((failure) => !pages.includes(failure))).toEqual([]);
      expect(pages.length).toBeLessThanOrEqual(proxy.badGateways);
      await annotate(`${pages.length} pages of 502 in ${calls.done + sessions.done + inSession.done} pieces of work`);
      expect(replicas.pids.filter((pid) => before.includes(pid))).toEqual([]);
    });
  });

  it(`${proxy.name} puts to another replica what one has answered with 503, with its body`, async () => {
    await using backends = await Backends.start([503, 200, 200]);
    await using front = await proxy.start(backends.ports);
    const body = 'x'.repeat(10_000);

    const answers = await Promise.all(
      Array.from({ length: 60 }, async () => (await fetch(front.url, { method: 'POST', body })).text()),
    );

    expect(new Set(answers)).toEqual(new Set([`200 ${body}`]));
    expect(backends.posts[0]).toBeGreaterThan(0);
  });
}
