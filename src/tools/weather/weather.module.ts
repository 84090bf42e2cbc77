import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { OpenMeteoClient } from './open-meteo.client.js';
import { WeatherResources } from './weather.resources.js';
import { WeatherTools } from './weather.tools.js';
import { DEFAULT_WEATHER_OPTIONS, type WeatherOptions } from './weather.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<WeatherOptions>()
  .setClassMethodName('forRoot')
  .build();

/**
 * Weather from Open-Meteo, which needs no key for non-commercial use.
 *
 * @example imports: [WeatherModule.forRoot({ timeoutMs: 2_000 })]
 * @see https://open-meteo.com/en/docs
 */
@Module({
  providers: [
    {
      provide: OpenMeteoClient,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: WeatherOptions) => new OpenMeteoClient({ ...DEFAULT_WEATHER_OPTIONS, ...options }),
    },
    WeatherTools,
    WeatherResources,
  ],
})
export class WeatherModule extends ConfigurableModuleClass {}
