import { describe, expect, it } from 'vitest';
import { createMcpTestApp } from '../../../src/testing.js';
import { WeatherModule } from '../../../src/tools/weather/weather.module.js';
import type { WeatherOptions } from '../../../src/tools/weather/weather.options.js';
import { eventually } from '../../support/eventually.js';
import { huge, json, OpenMeteoStub, redirect, silence, stalled, text } from './open-meteo-stub.js';

const start = (stub: OpenMeteoStub, options: WeatherOptions = {}) =>
  createMcpTestApp(WeatherModule.forRoot({ geocodingUrl: stub.url, forecastUrl: stub.url, ...options }), {
    logger: false,
  });

const OUT_OF_ORDER = {
  isError: true,
  content: [
    {
      type: 'text',
      text: 'The weather service is out of order. Try again in a minute, or tell the user that the weather is not available.',
    },
  ],
};

describe.each(['stateless', 'session'] as const)('weather, %s', (era) => {
  it('offers a tool that says when to use it', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);
    const [tool] = await app.client({ era }).listTools();
    expect(tool).toMatchObject({
      name: 'getCurrentWeather',
      title: 'Current weather',
      description: expect.stringContaining('Use it for questions about now'),
      annotations: { readOnlyHint: true, openWorldHint: true },
      inputSchema: {
        type: 'object',
        required: ['city'],
        properties: { units: { type: 'string', enum: ['metric', 'imperial'], default: 'metric' } },
      },
      outputSchema: { type: 'object' },
    });
  });

  it('tells the current weather', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);

    const result = await app.client({ era }).call('getCurrentWeather', { city: 'Vienna' });

    expect(result.structuredContent).toEqual({
      place: { name: 'Vienna', region: 'Vienna', country: 'Austria' },
      observedAt: '2026-03-01T12:15:00+01:00',
      condition: 'partly cloudy',
      temperature: 9.3,
      feelsLike: 6.7,
      humidityPercent: 61,
      precipitation: 0,
      windSpeed: 12.6,
      isDay: true,
      units: { temperature: '°C', windSpeed: 'km/h', precipitation: 'mm' },
      source: 'Open-Meteo.com, CC BY 4.0',
    });
    expect(stub.requests.map(({ pathname }) => pathname)).toEqual(['/v1/search', '/v1/forecast']);
    expect(stub.requests[1]?.searchParams.get('latitude')).toBe('48.20849');
  });

  it('heeds country and units', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);

    const result = await app.client({ era }).call('getCurrentWeather', { city: 'Vienna, us', units: 'imperial' });

    expect(result.structuredContent).toMatchObject({
      place: { name: 'Vienna', region: 'Virginia', country: 'United States' },
      temperature: 48.7,
      units: { temperature: '°F', windSpeed: 'mp/h', precipitation: 'inch' },
    });
  });

  it('says what to do about an unknown city', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);
    expect(await app.client({ era }).call('getCurrentWeather', { city: 'Xyzzy' })).toEqual({
      isError: true,
      content: [
        {
          type: 'text',
          text: 'No city "Xyzzy" was found. Check the spelling and the country code, try the name of a larger city nearby, or ask the user which place they mean.',
        },
      ],
    });
  });

  it('refuses arguments that the service would not understand, without asking it', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);
    const result = await app.client({ era }).call('getCurrentWeather', { city: 'V', units: 'kelvin' });
    expect(result.isError).toBe(true);
    expect(result.content).toMatchObject([{ text: expect.stringContaining('units: ') }]);
    expect(stub.requests).toEqual([]);
  });

  it.each([
    ['404', json(404, { error: true, reason: 'Not Found' })],
    ['429', json(429, { error: true, reason: 'Minutely API request limit exceeded.' })],
    ['500', text(500, '<html>stack trace at /srv/app.js</html>')],
    ['no JSON', text(200, '<html>Welcome to the hotel Wi-Fi</html>')],
    ['JSON cut short', text(200, '{"results":[{"name":"Vie')],
    ['another shape', json(200, { results: [{ name: 'Vienna', latitude: '48', longitude: 16 }] })],
    ['a place that is not on earth', json(200, { results: [{ name: 'Vienna', latitude: 480, longitude: 16 }] })],
    ['a huge answer', huge],
    ['a redirect, even to a good answer', redirect('/moved/search?name=Vienna')],
  ])('says that the service is out of order, and no more: %s', async (_name, answer) => {
    await using stub = (await OpenMeteoStub.start()).on('/v1/search', answer);
    await using app = await start(stub);
    expect(await app.client({ era }).call('getCurrentWeather', { city: 'Vienna' })).toEqual(OUT_OF_ORDER);
  });

  it('validates the forecast API too', async () => {
    await using stub = (await OpenMeteoStub.start()).on('/v1/forecast', json(200, { current: { time: 'now' } }));
    await using app = await start(stub);
    expect(await app.client({ era }).call('getCurrentWeather', { city: 'Vienna' })).toEqual(OUT_OF_ORDER);
  });

  it.each([
    ['at all', silence],
    ['to its end', stalled],
  ])('says so when the service does not answer in time %s', async (_name, answer) => {
    await using stub = (await OpenMeteoStub.start()).on('/v1/search', answer);
    await using app = await start(stub, { timeoutMs: 100 });
    const result = await app.client({ era }).call('getCurrentWeather', { city: 'Vienna' });
    expect(result.isError).toBe(true);
    expect(result.content).toMatchObject([
      { text: expect.stringContaining('The weather service did not answer in time.') },
    ]);
  });

  it('says so when nobody listens', async () => {
    const stub = await OpenMeteoStub.start();
    await stub[Symbol.asyncDispose]();
    await using app = await start(stub);
    expect(await app.client({ era }).call('getCurrentWeather', { city: 'Vienna' })).toEqual(OUT_OF_ORDER);
  });

  it('gives its request up when the call is cancelled', async () => {
    await using stub = (await OpenMeteoStub.start()).on('/v1/search', silence);
    await using app = await start(stub, { timeoutMs: 60_000 });

    const call = app.client({ era }).call('getCurrentWeather', { city: 'Vienna' });
    await eventually(() => expect(stub.requests).toHaveLength(1));
    await Promise.all([call.cancel('not needed'), expect(call).rejects.toThrow('not needed')]);

    await eventually(() => expect(stub.aborted).toBe(1));
  });

  it('reads a forecast', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);

    const uri = 'weather://forecast/Vienna%2C%20AT';
    const { contents } = await app.client({ era }).read(uri);

    expect(contents).toMatchObject([{ uri, mimeType: 'application/json' }]);
    expect(JSON.parse((contents[0] as { text: string }).text)).toEqual({
      place: { name: 'Vienna', region: 'Vienna', country: 'Austria' },
      timezone: 'Europe/Vienna',
      units: { temperature: '°C', precipitation: 'mm' },
      days: [
        {
          date: '2026-03-01',
          condition: 'overcast',
          lowest: 1.4,
          highest: 9.8,
          precipitation: 0,
          precipitationProbabilityPercent: 5,
        },
        {
          date: '2026-03-02',
          condition: 'light rain',
          lowest: 3.2,
          highest: 7.1,
          precipitation: 4.3,
          precipitationProbabilityPercent: null,
        },
      ],
      source: 'Open-Meteo.com, CC BY 4.0',
    });
  });

  it('refuses columns of different length', async () => {
    const daily = {
      time: ['2026-03-01', '2026-03-02'],
      weather_code: [3],
      temperature_2m_min: [1, 2],
      temperature_2m_max: [1, 2],
      precipitation_sum: [1, 2],
      precipitation_probability_max: [1, 2],
    };
    await using stub = (await OpenMeteoStub.start()).on('/v1/forecast', json(200, { timezone: 'UTC', daily }));
    await using app = await start(stub);
    await expect(app.client({ era }).read('weather://forecast/Vienna')).rejects.toMatchObject({
      code: -32603,
      message: expect.stringContaining('The weather service is out of order.'),
    });
  });

  it('knows no forecast of an unknown city', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);
    await expect(app.client({ era }).read('weather://forecast/Xyzzy')).rejects.toMatchObject({
      code: era === 'stateless' ? -32602 : -32002,
      data: { uri: 'weather://forecast/Xyzzy' },
    });
  });

  it('completes cities, with their countries', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);
    const ref = { type: 'ref/resource', uri: 'weather://forecast/{city}' } as const;
    const { values } = await app.client({ era }).complete(ref, { name: 'city', value: 'vienn' });
    expect(values).toEqual(['Vienna, AT', 'Vienna, US', 'Vienne, FR']);
  });

  it('completes nothing while the service is out of order, or after a single letter', async () => {
    await using stub = (await OpenMeteoStub.start()).on('/v1/search', json(500, {}));
    await using app = await start(stub);
    const ref = { type: 'ref/resource', uri: 'weather://forecast/{city}' } as const;
    const client = app.client({ era });
    expect(await client.complete(ref, { name: 'city', value: 'v' })).toMatchObject({ values: [] });
    expect(stub.requests).toEqual([]);
    expect(await client.complete(ref, { name: 'city', value: 'vi' })).toMatchObject({ values: [] });
    expect(stub.requests).toHaveLength(1);
  });
});

it('lets clients of 2026-07-28 keep a forecast, which is the same for all', async () => {
  await using stub = await OpenMeteoStub.start();
  await using app = await start(stub);
  const result = await app.client().request('resources/read', { uri: 'weather://forecast/Vienna' });
  expect(result).toMatchObject({ ttlMs: 900_000, cacheScope: 'public' });
});
