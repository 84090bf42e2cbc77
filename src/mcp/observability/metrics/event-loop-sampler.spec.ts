import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EventLoopSampler } from './event-loop-sampler.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('gives the share of the last five seconds, and stops', () => {
  const utilizations = [0.25, 0.75];
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation((_one, other) => ({
    idle: 0,
    active: 0,
    utilization: other ? (utilizations.shift() ?? -1) : 0.1,
  }));
  const sampler = new EventLoopSampler();

  expect(sampler.utilization).toBe(0.1);
  vi.advanceTimersByTime(5_000);
  expect(sampler.utilization).toBe(0.25);
  vi.advanceTimersByTime(5_000);
  sampler.stop();
  vi.advanceTimersByTime(50_000);
  expect(sampler.utilization).toBe(0.75);
});
