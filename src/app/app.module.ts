import { type DynamicModule, Module } from '@nestjs/common';
import { McpHealthModule, McpMetricsModule, McpModule } from '../index.js';
import { DocumentsModule } from '../tools/documents/documents.module.js';
import { NotesModule } from '../tools/notes/notes.module.js';
import { WeatherModule } from '../tools/weather/weather.module.js';
import type { Config } from './config.js';
import { mcpOptions } from './mcp-options.js';
import { packageVersion } from './package-version.js';
import type { RequestLog } from './request-log.js';
import type { Tracing } from './tracing.js';

/** What watches the platform while it runs. */
export interface AppWatchers {
  readonly requestLog?: RequestLog | undefined;
  readonly tracing?: Tracing | undefined;
}

/** The platform with its sample tools. */
@Module({})
export class AppModule {
  static forRoot(config: Config, { requestLog, tracing }: AppWatchers = {}): DynamicModule {
    // The later one runs around the earlier one: the request log finds itself within the span.
    const observers = [requestLog, tracing?.observer].filter((observer) => observer !== undefined);
    return {
      module: AppModule,
      imports: [
        McpModule.forRoot({ ...mcpOptions(config, packageVersion()), observers }),
        McpHealthModule,
        ...(config.METRICS_ENABLED ? [McpMetricsModule.forRoot()] : []),
        DocumentsModule,
        NotesModule,
        WeatherModule.forRoot({
          geocodingUrl: config.WEATHER_GEOCODING_URL,
          forecastUrl: config.WEATHER_FORECAST_URL,
          timeoutMs: config.WEATHER_TIMEOUT_MS,
        }),
      ],
      // Ends by itself with the application, when everything that is traced has ended.
      providers: tracing ? [{ provide: 'Tracing', useValue: tracing }] : [],
    };
  }
}
