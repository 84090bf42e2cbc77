/**
 * @rekog/mcp-nest 2.x on Nest's Fastify adapter, by MODE: `stateless` (2026-07-28 alone, as the SDK v2 beneath it serves
 * it), `session-json` and `session` (2025-11-25, in the memory of the process). The decorators are applied by hand, which
 * saves a compiler and is the same to Nest.
 */
import 'reflect-metadata';
import { Ctx, Payload } from '@nestjs/microservices';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { McpController, McpStrategy, StreamableHttpTransport, Tool } from '@rekog/mcp-nest';
import { z } from 'zod';
import { forecast, forecastSlowly, MODE, MORE_NAMES, PORT } from './forecast.js';
import { INPUT, OUTPUT } from './zod-schemas.js';

const parameters = z.object(INPUT);
const outputSchema = z.object(OUTPUT);

class Forecasts {
  forecast(given) {
    return forecast(given);
  }

  forecastSlowly(given, context) {
    return forecastSlowly(given, (step) => context.reportProgress(step));
  }
}

for (const name of MORE_NAMES) Forecasts.prototype[name] = (given) => forecast(given);
for (const name of ['forecast', 'forecastSlowly', ...MORE_NAMES]) {
  const descriptor = Object.getOwnPropertyDescriptor(Forecasts.prototype, name);
  Tool({ name, description: 'Forecast', parameters, outputSchema })(Forecasts.prototype, name, descriptor);
  Payload()(Forecasts.prototype, name, 0);
  Ctx()(Forecasts.prototype, name, 1);
}
McpController()(Forecasts);

const transport =
  MODE === 'stateless'
    ? new StreamableHttpTransport({ protocol: 'modern-only' })
    : new StreamableHttpTransport({
        protocol: 'legacy-only',
        statefulMode: true,
        enableJsonResponse: MODE === 'session-json',
      });
const strategy = new McpStrategy({ name: 'bench', version: '1.0.0', transports: [transport] });

class App {}
Module({ controllers: [Forecasts] })(App);

const app = await NestFactory.create(App, new FastifyAdapter(), { logger: ['error', 'warn'] });
strategy.setHttpAdapter(app.getHttpAdapter());
app.connectMicroservice({ strategy });
await app.startAllMicroservices();
await app.listen(PORT, '127.0.0.1');
