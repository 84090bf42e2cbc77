/** What every script can use. */
const PRELUDE = `
-- Milliseconds: as given, or by the clock of the server when nothing is (all replicas then go by one clock).
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A whole number as text; tostring would write 1.7e+12.
local function int(number)
  return string.format('%.0f', number)
end

-- Tells a replica, or all of them.
local function tell(channel, ...)
  redis.call('PUBLISH', channel, cjson.encode({...}))
end
`;

/**
 * A step that must be one step. Its source begins with a comment that lists KEYS, ARGV and what it returns; every key
 * it touches has the hash tag of those in KEYS.
 */
export class LuaScript {
  readonly source: string;

  /** @param name unique; the command under which the client knows it */
  constructor(
    readonly name: string,
    source: string,
  ) {
    this.source = `${PRELUDE}${source}`;
  }
}
