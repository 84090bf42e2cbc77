import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { OpenMeteoClient } from './open-meteo.client.js';
import { DEFAULT_WEATHER_OPTIONS } from './weather.options.js';

it('rejects with the reason of its caller, which is no fault of the service', async () => {
  await using server = createServer(() => controller.abort(reason)).listen(0, '127.0.0.1');
  const controller = new AbortController();
  const reason = new Error('The client cancelled the call.');
  await new Promise((resolve) => server.once('listening', resolve));
  const geocodingUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new OpenMeteoClient({ ...DEFAULT_WEATHER_OPTIONS, geocodingUrl });

  await expect(client.findPlaces({ name: 'Vienna' }, 1, controller.signal)).rejects.toBe(reason);
});
