import { Injectable } from '@nestjs/common';
import { type CompletionInput, McpCall, McpCompletion, McpResource, ToolError } from '../../index.js';
import { OpenMeteoClient } from './open-meteo.client.js';
import type { ForecastAnswer } from './open-meteo.schemas.js';
import { placeFound, SOURCE } from './place-found.js';
import { formatPlaceQuery, parsePlaceQuery } from './place-query.js';
import { describeWeatherCode } from './weather-code.js';
import { ForecastVariables } from './weather.dto.js';

const FORECAST = 'weather://forecast/{city}';
const MAX_SUGGESTIONS = 20;
/** Open-Meteo calculates its forecasts anew every hour; a quarter of that is fresh enough. */
const FRESH_MS = 15 * 60 * 1000;

@Injectable()
export class WeatherResources {
  constructor(private readonly openMeteo: OpenMeteoClient) {}

  @McpResource(FORECAST, {
    title: 'Weather forecast',
    description:
      'The next seven days in a city, in metric units: condition, lowest and highest temperature, precipitation. ' +
      'Use it for questions about the days to come. A country code tells namesakes apart: "Springfield, US".',
    mimeType: 'application/json',
    cache: { ttlMs: FRESH_MS, scope: 'public' },
  })
  async forecast({ city }: ForecastVariables, call: McpCall) {
    const [place] = await this.openMeteo.findPlaces(parsePlaceQuery(city), 1, call.signal);
    if (!place) return undefined;
    const { timezone, daily } = await this.openMeteo.forecast(place, call.signal);
    return {
      place: placeFound(place),
      timezone,
      units: { temperature: '°C', precipitation: 'mm' },
      days: daily.time.map((date, day) => dayOf(daily, date, day)),
      source: SOURCE,
    };
  }

  @McpCompletion({ resource: FORECAST, argument: 'city' })
  async cities({ value }: CompletionInput, call: McpCall): Promise<readonly string[]> {
    const query = parsePlaceQuery(value);
    if (query.name.length < 2 || query.name.length > 100) return [];
    try {
      const places = await this.openMeteo.findPlaces(query, MAX_SUGGESTIONS, call.signal);
      return [
        ...new Set(
          places.map(({ name, country_code: code }) => formatPlaceQuery({ name, ...(code && { countryCode: code }) })),
        ),
      ];
    } catch (error) {
      // Suggestions are a convenience: without the service there are none.
      if (error instanceof ToolError) return [];
      throw error;
    }
  }
}

/** Far days may lack a value; it is null then. */
function dayOf(daily: ForecastAnswer['daily'], date: string, day: number) {
  const code = daily.weather_code[day] ?? null;
  return {
    date,
    condition: code === null ? null : describeWeatherCode(code),
    lowest: daily.temperature_2m_min[day] ?? null,
    highest: daily.temperature_2m_max[day] ?? null,
    precipitation: daily.precipitation_sum[day] ?? null,
    precipitationProbabilityPercent: daily.precipitation_probability_max[day] ?? null,
  };
}
