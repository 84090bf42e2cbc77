/** Tells two events at the same position apart; nothing rests on its being hard to guess. */
export function randomTag(): string {
  return String(Math.floor(Math.random() * 2 ** 48));
}
