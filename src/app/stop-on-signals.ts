import { constants } from 'node:os';
import { type INestApplication, Logger } from '@nestjs/common';
import { GracefulStop } from '../index.js';

/** Milliseconds in which two signals are one: npm passes on what the terminal has sent to the whole group already. */
const ONE_PRESS_MS = 300;

let isStopping = false;

/** Whether a signal has come, and the process will end by itself. */
export function stopsOnSignal(): boolean {
  return isStopping;
}

/**
 * Stops an application in good order on SIGTERM and SIGINT, and ends the process: with 0, or with 1 if something
 * would not stop. A second signal ends it at once, with 128 and the number of the signal.
 */
export function stopOnSignals(app: INestApplication): void {
  const logger = new Logger('Rookery');
  let begunAt: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (begunAt === undefined) {
        begunAt = Date.now();
        isStopping = true;
        logger.log(`Stopping, because of ${signal}. A second signal ends the process at once.`);
        void stop(app, logger);
      } else if (Date.now() - begunAt > ONE_PRESS_MS) {
        process.exit(128 + constants.signals[signal]);
      }
    });
  }
}

async function stop(app: INestApplication, logger: Logger): Promise<void> {
  try {
    // Before Nest takes anything apart: calls that still run need it.
    await app.get(GracefulStop).drain();
    await app.close();
    process.exit(0);
  } catch (error) {
    logger.error('The application did not stop as it should.', error instanceof Error ? error.stack : String(error));
    process.exit(1);
  }
}
