import { type INestApplication, Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from '../../test/support/eventually.js';
import { stopOnSignals } from './stop-on-signals.js';

/** What is registered for each signal, since the process of the tests must not hear of them. */
const handlers = new Map<string | symbol, () => void>();
const exited = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  exited.mockReset();
  vi.spyOn(process, 'on').mockImplementation((signal, handler) => {
    handlers.set(signal, handler as () => void);
    return process;
  });
  vi.spyOn(process, 'exit').mockImplementation(exited as never);
  vi.spyOn(Logger.prototype, 'log').mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** An application, and the order in which it was stopped. */
function stoppable(close: () => Promise<void> = async () => undefined) {
  const steps: string[] = [];
  const drain = async (): Promise<void> => void steps.push('drain');
  const app = {
    get: () => ({ drain }),
    close: () => {
      steps.push('close');
      return close();
    },
  };
  stopOnSignals(app as unknown as INestApplication);
  return steps;
}

it.each(['SIGTERM', 'SIGINT'])('lets calls finish before it takes anything apart, on %s', async (signal) => {
  const steps = stoppable();

  handlers.get(signal)?.();
  await eventually(() => expect(exited).toHaveBeenCalledExactlyOnceWith(0));

  expect(steps).toEqual(['drain', 'close']);
});

it.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
])('ends the process at once on a second signal, %s', (signal, code) => {
  const steps = stoppable(() => new Promise(() => undefined));
  handlers.get('SIGTERM')?.();

  vi.advanceTimersByTime(301);
  handlers.get(signal)?.();

  expect(exited).toHaveBeenCalledExactlyOnceWith(code);
  expect(steps).toEqual(['drain']);
});

it('takes one press of a key, which comes from the terminal and from npm, for one signal', () => {
  stoppable(() => new Promise(() => undefined));

  handlers.get('SIGINT')?.();
  vi.advanceTimersByTime(50);
  handlers.get('SIGINT')?.();

  expect(exited).not.toHaveBeenCalled();
});

it('logs what would not stop, and exits with 1', async () => {
  const error = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
  stoppable(() => Promise.reject(new Error('the port is stuck')));

  handlers.get('SIGTERM')?.();
  await eventually(() => expect(exited).toHaveBeenCalledExactlyOnceWith(1));

  expect(error).toHaveBeenCalledWith(expect.any(String), expect.stringContaining('the port is stuck'));
});
