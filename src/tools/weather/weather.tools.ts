import { Injectable } from '@nestjs/common';
import { McpCall, McpTool, ToolError } from '../../index.js';
import { withOffset } from './local-time.js';
import { OpenMeteoClient } from './open-meteo.client.js';
import { placeFound, SOURCE } from './place-found.js';
import { parsePlaceQuery } from './place-query.js';
import { describeWeatherCode } from './weather-code.js';
import { CurrentWeather, CurrentWeatherInput } from './weather.dto.js';

@Injectable()
export class WeatherTools {
  constructor(private readonly openMeteo: OpenMeteoClient) {}

  @McpTool({
    title: 'Current weather',
    description:
      'The weather in a city at this moment: condition, temperature, humidity, precipitation and wind. Use it for ' +
      'questions about now; for the coming days read the resource weather://forecast/{city}.',
    output: CurrentWeather,
    annotations: { readOnlyHint: true, openWorldHint: true },
  })
  async getCurrentWeather({ city, units }: CurrentWeatherInput, call: McpCall): Promise<CurrentWeather> {
    const [place] = await this.openMeteo.findPlaces(parsePlaceQuery(city), 1, call.signal);
    if (!place) {
      throw new ToolError(
        `No city "${city}" was found. Check the spelling and the country code, try the name of a larger city nearby, ` +
          'or ask the user which place they mean.',
      );
    }
    const { current, current_units, utc_offset_seconds } = await this.openMeteo.current(place, units, call.signal);
    return {
      place: placeFound(place),
      observedAt: withOffset(current.time, utc_offset_seconds),
      condition: describeWeatherCode(current.weather_code),
      temperature: current.temperature_2m,
      feelsLike: current.apparent_temperature,
      humidityPercent: current.relative_humidity_2m,
      precipitation: current.precipitation,
      windSpeed: current.wind_speed_10m,
      isDay: current.is_day === 1,
      units: {
        temperature: current_units.temperature_2m,
        windSpeed: current_units.wind_speed_10m,
        precipitation: current_units.precipitation,
      },
      source: SOURCE,
    };
  }
}
