import { type DynamicModule, Module } from '@nestjs/common';
import { McpHealthModule, McpModule } from '../index.js';
import { DocumentsModule } from '../tools/documents/documents.module.js';
import { NotesModule } from '../tools/notes/notes.module.js';
import { WeatherModule } from '../tools/weather/weather.module.js';
import type { Config } from './config.js';
import { mcpOptions } from './mcp-options.js';
import { packageVersion } from './package-version.js';

/** The platform with its sample tools. */
@Module({})
export class AppModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        McpModule.forRoot(mcpOptions(config, packageVersion())),
        McpHealthModule,
        DocumentsModule,
        NotesModule,
        WeatherModule.forRoot({
          geocodingUrl: config.WEATHER_GEOCODING_URL,
          forecastUrl: config.WEATHER_FORECAST_URL,
          timeoutMs: config.WEATHER_TIMEOUT_MS,
        }),
      ],
    };
  }
}
