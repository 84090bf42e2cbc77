/*
 * Rookery as a team would run it: the built package, decorators compiled by tsc, helmet, health, metrics, a service that is
 * injected, DTOs in and out. Variants, by the environment: TOOLS (how many), METRICS=0, TOKENS_KEY_FILE (RS256 tokens),
 * REDIS_URL, LOG_REQUESTS=1 (the log of the deployable application), GOVERNED=1 (limits and audit), OWN_HOOK=1 (the
 * application has a hook of its own before every request), WASTE=1 (slow on purpose, to see that the guard notices).
 */
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type CallHandler, Injectable, Module, type NestInterceptor, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { IsIn, IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import {
  ApiField,
  McpCall,
  McpHealthModule,
  McpMetricsModule,
  McpModule,
  type McpOptions,
  McpRegistry,
  McpResource,
  McpTool,
  createHttpAdapter,
  securityHeaders,
} from '../../dist/index.js';
import { startLogging } from '../../dist/app/logging.js';
import { RequestLog } from '../../dist/app/request-log.js';
import { publishActions } from './rookery-actions.js';

const { env } = process;
const STEPS = 20;

class ForecastInput {
  @ApiField('City') @IsString() @MaxLength(100) city!: string;
  @ApiField('Days') @IsInt() @Min(1) @Max(14) days!: number;
  @ApiField('Unit') @IsIn(['celsius', 'fahrenheit']) unit!: string;
}

class Forecast {
  @ApiField('City') @IsString() city!: string;
  @ApiField('Days') @IsInt() days!: number;
  @ApiField('Unit') @IsString() unit!: string;
  @ApiField('Summary') @IsString() summary!: string;
}

@Injectable()
class Forecasts {
  of({ city, days, unit }: ForecastInput): Forecast {
    return { city, days, unit, summary: `${days} days in ${city}` };
  }
}

@Injectable()
class ForecastTools {
  constructor(private readonly forecasts: Forecasts) {}

  @McpTool({ description: 'Forecast', output: Forecast })
  forecast(input: ForecastInput): Forecast {
    return this.forecasts.of(input);
  }

  @McpTool({ description: 'Forecast', output: Forecast })
  async forecastSlowly(input: ForecastInput, call: McpCall): Promise<Forecast> {
    for (let step = 1; step <= STEPS; step += 1) {
      call.progress(step, STEPS);
      await setImmediate();
    }
    return this.forecasts.of(input);
  }

  @McpResource('city://{name}', { description: 'City' })
  city({ name }: { name: string }): string {
    return name;
  }
}

/** As many more methods with the same decorators as there are to be tools. */
for (let n = 1; n <= Number(env['TOOLS'] ?? 2) - 2; n += 1) {
  const [prototype, name] = [ForecastTools.prototype, `forecast${n}`];
  const descriptor = { ...Object.getOwnPropertyDescriptor(prototype, 'forecast') };
  descriptor.value = function (this: ForecastTools, input: ForecastInput) {
    return this.forecast(input);
  };
  Object.defineProperty(prototype, name, descriptor);
  Reflect.defineMetadata('design:paramtypes', [ForecastInput], prototype, name);
  McpTool({ description: 'Forecast', output: Forecast })(prototype, name as 'forecast', descriptor as never);
}

@Injectable()
class WastefulInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): ReturnType<CallHandler['handle']> {
    const waste = Array.from({ length: 400 }, (_, n) => ({ n, text: `wasted ${n}` }));
    JSON.parse(JSON.stringify(waste));
    return next.handle();
  }
}
if (env['WASTE'] === '1') UseInterceptors(WastefulInterceptor)(ForecastTools);

const requestLog = env['LOG_REQUESTS'] === '1' ? new RequestLog({ traced: false }) : undefined;

const options: McpOptions = {
  name: 'bench',
  version: '1.0.0',
  // A client that comes for one call leaves its session behind.
  sessions: { store: { maxSessions: 500_000 } },
  http: { maxStreams: 20_000, maxStreamsPerPrincipal: 20_000 },
  pageSize: 1_000,
  ...(env['REDIS_URL'] && { redis: { url: env['REDIS_URL'] } }),
  ...(env['TOKENS_KEY_FILE'] && {
    auth: {
      resource: 'https://mcp.example.com/mcp',
      issuers: [{ issuer: 'https://idp.example.com/', publicKey: readFileSync(env['TOKENS_KEY_FILE'], 'utf8') }],
      requiredScopes: ['mcp'],
    },
  }),
  ...(env['GOVERNED'] === '1' && {
    limits: { principal: { perMinute: 100_000_000 }, tenant: { perMinute: 100_000_000 }, maxCallsPerPrincipal: 1_000 },
    audit: { to: ['stdout' as const] },
  }),
  ...(requestLog && { observers: [requestLog] }),
};

@Module({
  imports: [
    McpModule.forRoot(options),
    McpHealthModule,
    ...(env['METRICS'] === '0' ? [] : [McpMetricsModule.forRoot()]),
  ],
  providers: [Forecasts, ForecastTools],
})
class App {}

if (requestLog) await startLogging(env);
const adapter = createHttpAdapter();
requestLog?.watch(adapter.getInstance());
const app = await NestFactory.create<NestFastifyApplication>(
  App,
  adapter,
  requestLog ? {} : { logger: ['error', 'warn'] },
);
await app.register(securityHeaders);
if (env['OWN_HOOK'] === '1') {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (_request, _reply, done) => done());
}
await app.listen(Number(env['PORT']), '127.0.0.1');
Object.assign(globalThis, { benchActions: publishActions(app.get(McpRegistry)) });
