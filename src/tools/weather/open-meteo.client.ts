import { Logger } from '@nestjs/common';
import type { z } from 'zod';
import { ToolError } from '../../index.js';
import { readBoundedText } from './bounded-body.js';
import {
  CURRENT_ANSWER,
  type CurrentAnswer,
  FORECAST_ANSWER,
  type ForecastAnswer,
  GEOCODING_ANSWER,
  type Place,
} from './open-meteo.schemas.js';
import type { PlaceQuery } from './place-query.js';
import type { WeatherOptions } from './weather.options.js';

export type Units = 'metric' | 'imperial';

interface Query<S extends z.ZodType> {
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly schema: S;
}

const CURRENT = [
  'temperature_2m',
  'apparent_temperature',
  'relative_humidity_2m',
  'precipitation',
  'weather_code',
  'wind_speed_10m',
  'is_day',
] as const;
const DAILY = [
  'weather_code',
  'temperature_2m_min',
  'temperature_2m_max',
  'precipitation_sum',
  'precipitation_probability_max',
] as const;
const IMPERIAL = { temperature_unit: 'fahrenheit', wind_speed_unit: 'mph', precipitation_unit: 'inch' };

const TRY_LATER = 'Try again in a minute, or tell the user that the weather is not available.';

/**
 * Talks to Open-Meteo. Every way in which that can fail becomes a {@link ToolError} that says what to do; what
 * exactly went wrong, addresses included, goes to the log alone.
 */
export class OpenMeteoClient {
  private readonly logger = new Logger(OpenMeteoClient.name);

  constructor(private readonly options: Required<WeatherOptions>) {}

  /** Places of that name, the most important first; none if there is no such place. */
  async findPlaces({ name, countryCode }: PlaceQuery, limit: number, signal: AbortSignal): Promise<readonly Place[]> {
    const { results } = await this.get(
      {
        url: endpoint(this.options.geocodingUrl, 'v1/search'),
        params: {
          name,
          count: String(limit),
          language: 'en',
          format: 'json',
          ...(countryCode !== undefined && { countryCode }),
        },
        schema: GEOCODING_ANSWER,
      },
      signal,
    );
    return countryCode === undefined ? results : results.filter((place) => place.country_code === countryCode);
  }

  current(place: Place, units: Units, signal: AbortSignal): Promise<CurrentAnswer> {
    return this.get(
      {
        url: endpoint(this.options.forecastUrl, 'v1/forecast'),
        params: { ...at(place), current: CURRENT.join(','), ...(units === 'imperial' ? IMPERIAL : {}) },
        schema: CURRENT_ANSWER,
      },
      signal,
    );
  }

  /** The next seven days, today included, in metric units. */
  forecast(place: Place, signal: AbortSignal): Promise<ForecastAnswer> {
    return this.get(
      {
        url: endpoint(this.options.forecastUrl, 'v1/forecast'),
        params: { ...at(place), daily: DAILY.join(','), forecast_days: '7' },
        schema: FORECAST_ANSWER,
      },
      signal,
    );
  }

  private async get<S extends z.ZodType>({ url, params, schema }: Query<S>, signal: AbortSignal): Promise<z.output<S>> {
    url.search = new URLSearchParams(params).toString();
    const timeout = AbortSignal.timeout(this.options.timeoutMs);
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.any([signal, timeout]),
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new Error(`HTTP status ${response.status}`);
      }
      return schema.parse(JSON.parse(await readBoundedText(response.body, this.options.maxAnswerBytes)));
    } catch (cause) {
      signal.throwIfAborted();
      this.logger.warn(`${url.origin}${url.pathname} is of no use: ${describe(cause)}`);
      throw new ToolError(
        timeout.aborted
          ? `The weather service did not answer in time. ${TRY_LATER}`
          : `The weather service is out of order. ${TRY_LATER}`,
        { cause },
      );
    }
  }
}

function endpoint(base: string, path: string): URL {
  return new URL(path, base.endsWith('/') ? base : `${base}/`);
}

function at({ latitude, longitude }: Place): Record<string, string> {
  return { latitude: String(latitude), longitude: String(longitude), timezone: 'auto' };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
