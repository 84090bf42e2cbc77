import { setImmediate } from 'node:timers/promises';

/** What the tool of every server does; what is measured is everything around it. */
export function forecast({ city, days, unit }) {
  return { city, days, unit, summary: `${days} days in ${city}` };
}

/** The slow tool reports so many steps, and lets others have their turn between them, so that each is sent by itself. */
export async function forecastSlowly(given, report) {
  for (let progress = 1; progress <= STEPS; progress += 1) {
    await report({ progress, total: STEPS });
    await setImmediate();
  }
  return forecast(given);
}

const STEPS = 20;

export const PORT = Number(process.env.PORT);
export const MODE = process.env.MODE ?? '';
/** Tools in all: the fast one, the slow one, and those that exist to be listed and looked up. */
export const TOOLS = Number(process.env.TOOLS ?? 2);
export const MORE_NAMES = Array.from({ length: TOOLS - 2 }, (_, n) => `forecast${n + 1}`);
