import { z } from 'zod';

/** What is used of Open-Meteo's answers. They come from outside, so they are checked, not trusted. */

const text = z.string().max(200);

export const PLACE = z.object({
  name: text.min(1),
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  country_code: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  country: text.optional(),
  admin1: text.optional(),
});
export type Place = z.output<typeof PLACE>;

/** Without a hit there is no `results`. */
export const GEOCODING_ANSWER = z.object({ results: z.array(PLACE).max(100).default([]) });

const LOCAL_TIME = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/);
const DATE = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const unit = z.string().max(20);
const offset = z.int().min(-86_400).max(86_400);

export const CURRENT_ANSWER = z.object({
  utc_offset_seconds: offset,
  timezone: z.string().max(100),
  current_units: z.object({ temperature_2m: unit, precipitation: unit, wind_speed_10m: unit }),
  current: z.object({
    time: LOCAL_TIME,
    temperature_2m: z.number(),
    apparent_temperature: z.number(),
    relative_humidity_2m: z.number(),
    precipitation: z.number(),
    weather_code: z.int(),
    wind_speed_10m: z.number(),
    is_day: z.union([z.literal(0), z.literal(1)]),
  }),
});
export type CurrentAnswer = z.output<typeof CURRENT_ANSWER>;

const MAX_DAYS = 16;
const numbers = z.array(z.number().nullable()).max(MAX_DAYS);

/** One column a variable; the rows are the days. */
export const FORECAST_ANSWER = z
  .object({
    timezone: z.string().max(100),
    daily: z.object({
      time: z.array(DATE).min(1).max(MAX_DAYS),
      weather_code: numbers,
      temperature_2m_min: numbers,
      temperature_2m_max: numbers,
      precipitation_sum: numbers,
      precipitation_probability_max: numbers,
    }),
  })
  .refine(({ daily }) => Object.values(daily).every((column) => column.length === daily.time.length), {
    error: 'the columns differ in length',
  });
export type ForecastAnswer = z.output<typeof FORECAST_ANSWER>;
