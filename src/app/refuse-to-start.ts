import { Logger } from '@nestjs/common';
import { stopsOnSignal } from './stop-on-signals.js';

/**
 * Says why the platform did not start, and ends the process with 1. What is wrong with its configuration is told in
 * one line; whatever else goes wrong, with where it did.
 */
export function refuseToStart(error: unknown): void {
  // Told to stop while it was starting: no failure, and the stop ends the process.
  if (stopsOnSignal()) return;
  const isTold = error instanceof Error && error.name === 'Error';
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  new Logger('Rookery').fatal(`The server did not start. ${message}`, ...(isTold ? [] : [stack]));
  process.exit(1);
}
