import { Logger } from '@nestjs/common';
import { Counter, Gauge, register } from 'prom-client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MetricsPage } from './metrics-page.js';

const said: string[] = [];
beforeEach(() => {
  said.length = 0;
  const say = (message: string): void => void said.push(message);
  Logger.overrideLogger({ log: say, warn: say, error: say });
});
afterEach(() => {
  vi.useRealTimers();
  register.clear();
  Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose']);
});

/** A page with one metric of ours, beside one of a team. */
function pageBeside(name: string, collect: () => void | Promise<void>): MetricsPage {
  const page = new MetricsPage('/metrics');
  new Counter({ name: 'ours_total', help: 'Ours.', registers: [page.registry] }).inc(2);
  new Gauge({ name, help: 'Theirs.', collect });
  return page;
}

const OURS = '# HELP ours_total Ours.\n# TYPE ours_total counter\nours_total 2\n';

it('leaves out a metric that cannot be collected, and says so once', async () => {
  const page = pageBeside('theirs', () => {
    throw new Error('no');
  });

  expect([await page.text(), await page.text()]).toEqual([OURS, OURS]);
  expect(said).toEqual(['theirs cannot be collected, and is left out.']);
});

it('leaves out a metric that takes too long, and does not begin again while it does', async () => {
  vi.useFakeTimers();
  let finish = (): void => undefined;
  const collect = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)));
  const page = pageBeside('theirs', collect);

  const late = [page.text(), page.text()];
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await Promise.all(late)).toEqual([OURS, OURS]);
  expect(collect).toHaveBeenCalledTimes(1);
  finish();
  await vi.advanceTimersByTimeAsync(0);
  const again = page.text();
  finish();

  expect(await again).toContain('theirs 0');
  expect(said).toEqual(['theirs cannot be collected, and is left out.']);
});

it('holds a name once, as ours, and says what it leaves out', async () => {
  const page = pageBeside('ours_total', () => undefined);

  expect([await page.text(), await page.text()]).toEqual([OURS, OURS]);
  expect(said).toEqual(['There is another metric ours_total, which is left out. Rename it.']);
});

it('puts its metrics into the registry of others until it ends, unless a name is taken', async () => {
  const page = new MetricsPage(false, register);
  new Counter({ name: 'ours_total', help: 'Ours.', registers: [page.registry] }).inc(2);

  page.share();
  expect(await register.metrics()).toBe(OURS);
  expect(() => page.share()).toThrow('There is a metric ours_total already in the registry');
  page.unshare();

  expect(register.getMetricsAsArray()).toEqual([]);
});
