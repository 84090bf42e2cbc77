/** Where the weather comes from. Any server that speaks Open-Meteo's API will do. */
export interface WeatherOptions {
  /** Base URL of the geocoding API. Default `https://geocoding-api.open-meteo.com`. */
  readonly geocodingUrl?: string;
  /** Base URL of the forecast API. Default `https://api.open-meteo.com`. */
  readonly forecastUrl?: string;
  /** Milliseconds one request may take, its body included. Default 5,000. */
  readonly timeoutMs?: number;
  /** Bytes an answer may have, unpacked. Default 256 KiB. */
  readonly maxAnswerBytes?: number;
}

export const DEFAULT_WEATHER_OPTIONS: Required<WeatherOptions> = Object.freeze({
  geocodingUrl: 'https://geocoding-api.open-meteo.com',
  forecastUrl: 'https://api.open-meteo.com',
  timeoutMs: 5_000,
  maxAnswerBytes: 256 * 1024,
});
