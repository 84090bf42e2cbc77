/** A place as people write it: a name and, to tell namesakes apart, a country. */
export interface PlaceQuery {
  readonly name: string;
  /** ISO 3166-1 alpha-2, in upper case. */
  readonly countryCode?: string;
}

const WITH_COUNTRY = /^(?<name>[^,]+),\s*(?<code>[A-Za-z]{2})$/u;

/** Reads `Springfield` or `Springfield, US`. */
export function parsePlaceQuery(text: string): PlaceQuery {
  const { name, code } = WITH_COUNTRY.exec(text.trim())?.groups ?? {};
  return name && code ? { name: name.trim(), countryCode: code.toUpperCase() } : { name: text.trim() };
}

export function formatPlaceQuery({ name, countryCode }: PlaceQuery): string {
  return countryCode === undefined ? name : `${name}, ${countryCode}`;
}
