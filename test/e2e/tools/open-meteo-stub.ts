import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Answers as the real geocoding API does, with what it returns besides what is used. */
const PLACES = [
  {
    id: 2761369,
    name: 'Vienna',
    latitude: 48.20849,
    longitude: 16.37208,
    elevation: 171,
    feature_code: 'PPLC',
    country_code: 'AT',
    admin1_id: 2761367,
    timezone: 'Europe/Vienna',
    population: 1691468,
    country_id: 2782113,
    country: 'Austria',
    admin1: 'Vienna',
  },
  {
    id: 4791160,
    name: 'Vienna',
    latitude: 38.90122,
    longitude: -77.26526,
    elevation: 119,
    feature_code: 'PPL',
    country_code: 'US',
    timezone: 'America/New_York',
    population: 16489,
    country: 'United States',
    admin1: 'Virginia',
  },
  { id: 3031582, name: 'Vienne', latitude: 45.52569, longitude: 4.87484, feature_code: 'PPLA3', country_code: 'FR' },
];

const CURRENT_UNITS = {
  time: 'iso8601',
  interval: 'seconds',
  temperature_2m: '°C',
  apparent_temperature: '°C',
  relative_humidity_2m: '%',
  precipitation: 'mm',
  weather_code: 'wmo code',
  wind_speed_10m: 'km/h',
  is_day: '',
};
const IMPERIAL_UNITS = {
  temperature_2m: '°F',
  apparent_temperature: '°F',
  precipitation: 'inch',
  wind_speed_10m: 'mp/h',
};

/** A local server that speaks the two Open-Meteo APIs, and what a test makes of them. */
export class OpenMeteoStub implements AsyncDisposable {
  /** Query strings that came, in order. */
  readonly requests: URL[] = [];
  /** Connections that the client gave up before they were answered. */
  aborted = 0;
  private readonly overrides = new Map<string, Answer>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<OpenMeteoStub> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stub = new OpenMeteoStub(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => stub.answer(request, response));
    return stub;
  }

  /** Replaces the answers of `/v1/search` or `/v1/forecast`. */
  on(path: '/v1/search' | '/v1/forecast', answer: Answer): this {
    this.overrides.set(path, answer);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push(url);
    response.on('close', () => void (response.writableFinished || this.aborted++));
    const override = this.overrides.get(url.pathname);
    if (override) return override(response, request);
    if (url.pathname.endsWith('/search')) return json(200, search(url.searchParams))(response, request);
    if (url.pathname === '/v1/forecast') return json(200, forecast(url.searchParams))(response, request);
    return json(404, { error: true, reason: 'Not Found' })(response, request);
  }
}

export function json(status: number, body: unknown): Answer {
  return text(status, JSON.stringify(body));
}

export function text(status: number, body: string): Answer {
  return (response) => void response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}

/** Never answers. */
export const silence: Answer = () => undefined;

/** Begins to answer and then says no more. */
export const stalled: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"results":[');
};

/** A good answer, behind a megabyte of white space. */
export const huge: Answer = (response, request) =>
  text(200, `${' '.repeat(1024 * 1024)}${JSON.stringify({ results: PLACES })}`)(response, request);

export function redirect(location: string): Answer {
  return (response) => void response.writeHead(302, { location }).end();
}

function search(params: URLSearchParams) {
  const name = (params.get('name') ?? '').toLowerCase();
  const country = params.get('countryCode');
  const results = PLACES.filter(
    (place) => place.name.toLowerCase().startsWith(name) && (country === null || place.country_code === country),
  ).slice(0, Number(params.get('count') ?? 10));
  // The real one leaves `results` out when it has none.
  return { ...(results.length > 0 && { results }), generationtime_ms: 0.71 };
}

function forecast(params: URLSearchParams) {
  const imperial = params.get('temperature_unit') === 'fahrenheit';
  const head = {
    latitude: 48.2,
    longitude: 16.38,
    generationtime_ms: 0.05,
    utc_offset_seconds: 3600,
    timezone: 'Europe/Vienna',
    timezone_abbreviation: 'GMT+1',
    elevation: 196,
  };
  if (params.has('current')) {
    return {
      ...head,
      current_units: { ...CURRENT_UNITS, ...(imperial && IMPERIAL_UNITS) },
      current: {
        time: '2026-03-01T12:15',
        interval: 900,
        temperature_2m: imperial ? 48.7 : 9.3,
        apparent_temperature: imperial ? 44.1 : 6.7,
        relative_humidity_2m: 61,
        precipitation: 0,
        weather_code: 2,
        wind_speed_10m: imperial ? 7.8 : 12.6,
        is_day: 1,
      },
    };
  }
  return {
    ...head,
    daily_units: { time: 'iso8601', weather_code: 'wmo code', temperature_2m_min: '°C', temperature_2m_max: '°C' },
    daily: {
      time: ['2026-03-01', '2026-03-02'],
      weather_code: [3, 61],
      temperature_2m_min: [1.4, 3.2],
      temperature_2m_max: [9.8, 7.1],
      precipitation_sum: [0, 4.3],
      precipitation_probability_max: [5, null],
    },
  };
}
