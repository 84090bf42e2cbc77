import { describe, expect, it } from 'vitest';
import { AppModule } from '../../../src/app/app.module.js';
import { readConfig } from '../../../src/app/config.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { OpenMeteoStub } from './open-meteo-stub.js';

const start = (stub: OpenMeteoStub) =>
  createMcpTestApp(
    AppModule.forRoot(readConfig({ WEATHER_GEOCODING_URL: stub.url, WEATHER_FORECAST_URL: `${stub.url}/base` })),
    { logger: false },
  );

describe.each(['stateless', 'session'] as const)('the sample app, %s', (era) => {
  it('offers the tools, resources and prompts of all samples, each titled and described', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);
    const client = app.client({ era });

    const tools = await client.listTools();
    const others = [
      ...(await client.listResources()),
      ...(await client.listResourceTemplates()),
      ...(await client.listPrompts()),
    ];

    expect(tools.map(({ name }) => name)).toEqual([
      'addNote',
      'analyzeDocument',
      'deleteNote',
      'getCurrentWeather',
      'listTags',
      'searchNotes',
      'updateNote',
    ]);
    expect(others.map(({ name }) => name)).toEqual(['notes', 'note', 'forecast', 'summarizeNotes']);
    for (const { title, description } of [...tools, ...others]) {
      expect(title).toEqual(expect.any(String));
      expect(description?.length).toBeGreaterThan(40);
    }
  });

  it('takes the addresses of the weather service from its configuration, with their paths', async () => {
    await using stub = await OpenMeteoStub.start();
    await using app = await start(stub);
    await app.client({ era }).call('getCurrentWeather', { city: 'Vienna' });
    expect(stub.requests.map(({ pathname }) => pathname)).toEqual(['/v1/search', '/base/v1/forecast']);
  });
});
