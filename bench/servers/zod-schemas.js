import { z } from 'zod';

/** Made once, as each of the frameworks recommends. */
export const INPUT = {
  city: z.string().max(100).describe('City'),
  days: z.number().int().min(1).max(14).describe('Days'),
  unit: z.enum(['celsius', 'fahrenheit']).describe('Unit'),
};
export const OUTPUT = {
  city: z.string().describe('City'),
  days: z.number().int().describe('Days'),
  unit: z.string().describe('Unit'),
  summary: z.string().describe('Summary'),
};
