/** The text, or as much of it as fits into `length` UTF-16 code units with a sign that it was cut. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
