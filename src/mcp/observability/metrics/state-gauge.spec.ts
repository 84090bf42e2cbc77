import { Logger } from '@nestjs/common';
import { Registry } from 'prom-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Sample, stateGauge } from './state-gauge.js';

const HEAD = ['# HELP doors_open Doors that are open.', '# TYPE doors_open gauge'];

function setup(read: () => readonly Sample[], labelNames?: readonly string[]) {
  const registry = new Registry();
  stateGauge({ registry, name: 'doors_open', help: 'Doors that are open.', read, ...(labelNames && { labelNames }) });
  return async () => (await registry.metrics()).trimEnd().split('\n');
}

it('shows what is when it is looked at, and not what was', async () => {
  let samples: readonly Sample[] = [[2, { house: 'a' }]];
  const lines = setup(() => samples, ['house']);

  expect(await lines()).toEqual([...HEAD, 'doors_open{house="a"} 2']);
  samples = [[1, { house: 'b' }]];
  expect(await lines()).toEqual([...HEAD, 'doors_open{house="b"} 1']);
});

it('without labels is absent while it is not known', async () => {
  let samples: readonly Sample[] = [];
  const lines = setup(() => samples);

  expect(await lines()).toEqual(HEAD);
  samples = [[3]];
  expect(await lines()).toEqual([...HEAD, 'doors_open 3']);
  samples = [];
  expect(await lines()).toEqual(HEAD);
});

it('that cannot be read is left out, and logged once until it can', async () => {
  const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  onTestFinished(() => logged.mockRestore());
  const lines = setup(() => {
    throw new Error('away');
  });

  expect([await lines(), await lines()]).toEqual([HEAD, HEAD]);
  expect(logged).toHaveBeenCalledTimes(1);
});
