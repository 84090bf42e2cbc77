import { expect, it, vi } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { RunningCalls } from './running-calls.js';

it('is idle at once when no call runs, and else when the last has left', async () => {
  const calls = new RunningCalls();
  await calls.idle();
  const [one, other] = [calls.enter(), calls.enter()];
  const idle = vi.fn();
  void calls.idle().then(idle);

  one.leave();
  one.leave();
  await Promise.resolve();
  expect(idle).not.toHaveBeenCalled();
  expect(calls.size).toBe(1);
  other.leave();

  await eventually(() => expect(idle).toHaveBeenCalledOnce());
});

it('stops what runs once, and says how many there were', () => {
  const calls = new RunningCalls();
  const [left, running] = [{ stop: vi.fn() }, { stop: vi.fn() }];
  const entry = calls.enter();
  entry.runs(left);
  entry.leave();
  calls.enter().runs(running);

  expect(calls.stop()).toBe(1);

  expect(left.stop).not.toHaveBeenCalled();
  expect(running.stop).toHaveBeenCalledOnce();
});

it('stops a call that was taken before and begins after', () => {
  const calls = new RunningCalls();
  const late = { stop: vi.fn() };
  const entry = calls.enter();
  calls.stop();

  entry.runs(late);

  expect(late.stop).toHaveBeenCalledOnce();
});

it('stops a call that comes when the time is over', () => {
  const calls = new RunningCalls();
  const late = { stop: vi.fn() };
  expect(calls.stop()).toBe(0);

  calls.enter().runs(late);

  expect(late.stop).toHaveBeenCalledOnce();
});
