/**
 * Adds what Open-Meteo leaves out: `2026-03-01T12:15` at an offset of 3,600 seconds is `2026-03-01T12:15:00+01:00`.
 */
export function withOffset(localTime: string, offsetSeconds: number): string {
  const minutes = Math.round(Math.abs(offsetSeconds) / 60);
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${localTime}:00${offsetSeconds < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}
