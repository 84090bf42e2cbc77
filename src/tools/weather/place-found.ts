import type { Place } from './open-meteo.schemas.js';
import type { PlaceFound } from './weather.dto.js';

/** The licence of the data asks for it. */
export const SOURCE = 'Open-Meteo.com, CC BY 4.0';

export function placeFound({ name, admin1, country }: Place): PlaceFound {
  return { name, ...(admin1 && { region: admin1 }), ...(country && { country }) };
}
