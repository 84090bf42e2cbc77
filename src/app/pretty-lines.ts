/**
 * Turns lines of JSON into lines for people. pino-pretty is loaded here alone, since servers do without it.
 * @param colorize whether the terminal shows colours
 */
export async function prettyLines(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,service,version,module',
    messageFormat: (log, messageKey) => {
      const { module, [messageKey]: message } = log;
      // A message of several lines could pass for several messages.
      const text = (typeof message === 'string' ? message : '').replaceAll('\n', '\\n');
      return typeof module === 'string' ? `[${module}] ${text}` : text;
    },
  });
  return (line) => pretty(JSON.parse(line) as object) ?? line;
}
