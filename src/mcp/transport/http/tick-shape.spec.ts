import { executionAsyncResource } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, it } from 'vitest';
import { keepTickShape, keptTick } from './tick-shape.js';

const tick = (): Promise<object> => new Promise((resolve) => process.nextTick(() => resolve(executionAsyncResource())));

let collectGarbage: () => void;
let haveSameShape: (a: unknown, b: unknown) => boolean;
beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collectGarbage = runInNewContext('gc') as () => void;
  setFlagsFromString('--allow-natives-syntax');
  haveSameShape = runInNewContext('(a, b) => %HaveSameMap(a, b)') as typeof haveSameShape;
  // It is compiled when it is called, and needs the syntax for that alone.
  haveSameShape({}, {});
  setFlagsFromString('--no-allow-natives-syntax');
});

it('keeps an object of the shape that all have that come later', async () => {
  keepTickShape();
  await tick();
  const kept = keptTick();
  for (let n = 0; n < 3; n += 1) collectGarbage();

  expect(haveSameShape(kept, await tick())).toBe(true);
  expect(haveSameShape({}, await tick())).toBe(false);
});

it('keeps one for the whole process', async () => {
  keepTickShape();
  await tick();
  const kept = keptTick();
  keepTickShape();
  await tick();

  expect(keptTick()).toBe(kept);
});
