import { LuaScript } from './lua-script.js';

/*
 * A stream is a Redis Stream of its events and a hash that keeps its books:
 *
 *   pos, tag   position and tag of the newest event; its id, and so its cursor, is `<pos>-<tag>`
 *   floor      cursor of the newest event that was trimmed away, if any was
 *   ended      set once the last event was written
 *   count, bytes   of the events that are kept
 *   producer   replica that wrote last
 *   holder, reader   replica and id of the connection that reads, if one does
 *   touched    milliseconds: last event, or the moment the last reader left
 *
 * Positions have no holes. Tags are random, so that a cursor is known for foreign when the log lost its tail in a
 * failover and has since written other events at the same positions.
 */

/** Shared by the scripts that follow. `base` is what the names of all keys of the session begin with. */
const STREAMS = `
local function drop(base, index, id)
  redis.call('DEL', base .. 'stream:' .. id, base .. 'meta:' .. id)
  redis.call('ZREM', index, id)
end

-- Whether there is no such stream, or nobody reads it and its time is over.
local function is_over(meta, now, retention)
  local touched, holder = unpack(redis.call('HMGET', meta, 'touched', 'holder'))
  return not touched or (not holder and now >= tonumber(touched) + retention)
end

-- Makes room for one more stream of the session: by those whose time is over, or by the one that was written least
-- recently and that nobody reads. False if all are being read.
local function make_room(base, index, now, retention, max)
  if redis.call('ZCARD', index) < max then return true end
  local oldest
  for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    local meta = base .. 'meta:' .. id
    if is_over(meta, now, retention) then
      drop(base, index, id)
    elseif not oldest and redis.call('HEXISTS', meta, 'holder') == 0 then
      oldest = id
    end
  end
  if redis.call('ZCARD', index) < max then return true end
  if not oldest then return false end
  drop(base, index, oldest)
  return true
end

-- Drops the streams that were written least recently and that nobody reads until the session keeps no more than max
-- bytes, or only the one that is being written is left.
local function make_small(base, session, index, writing, max)
  local sizes, total = {}, 0
  local ids = redis.call('ZRANGE', index, 0, -1)
  for _, id in ipairs(ids) do
    sizes[id] = tonumber(redis.call('HGET', base .. 'meta:' .. id, 'bytes') or 0)
    total = total + sizes[id]
  end
  for _, id in ipairs(ids) do
    if total <= max then break end
    if id ~= writing and redis.call('HEXISTS', base .. 'meta:' .. id, 'holder') == 0 then
      drop(base, index, id)
      total = total - sizes[id]
    end
  end
  redis.call('HSET', session, 'bytes', int(total))
end

-- Keys go by themselves when everyone has forgotten them.
local function keep(ms, ...)
  for _, key in ipairs({...}) do redis.call('PEXPIRE', key, ms) end
end
`;

/**
 * Appends an event, trims the stream to its limits and wakes the reader.
 *
 * KEYS[1] session  KEYS[2] index of its streams  KEYS[3] books of the stream  KEYS[4] its events; and, when the session
 * has too many streams or bytes, the keys of others of the same session
 * ARGV[1] now or ''  ARGV[2] base  ARGV[3] stream id  ARGV[4] data  ARGV[5] '1' for the last event  ARGV[6] tag
 * ARGV[7] this replica  ARGV[8] what the names of inboxes begin with  ARGV[9] most events  ARGV[10] most bytes
 * ARGV[11] most streams  ARGV[12] retention, ms  ARGV[13] life of the keys, ms  ARGV[14] most bytes of the session
 * returns {'ok', cursor, id of the reader if it is on this replica or ''} | {'gone'} | {'full'} | {'ended'}; after the
 * reader, unless the event was too large to be kept or was there already, the cursor of the event before or ''
 *
 * An event with the tag of the newest one is that event, tried again because its reply was lost.
 */
export const APPEND = new LuaScript(
  'rookeryAppend',
  `${STREAMS}
local now, base, id, data, last, tag, replica, inboxes = clock(ARGV[1]), unpack(ARGV, 2, 8)
local max_events, max_bytes, max_streams, retention = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
if redis.call('EXISTS', KEYS[1]) == 0 then return {'gone'} end

if is_over(KEYS[3], now, retention) then
  drop(base, KEYS[2], id)
  if not make_room(base, KEYS[2], now, retention, max_streams) then return {'full'} end
end
local pos, newest, ended, holder, reader, bytes, count, floor =
  unpack(redis.call('HMGET', KEYS[3], 'pos', 'tag', 'ended', 'holder', 'reader', 'bytes', 'count', 'floor'))
pos, bytes, count = tonumber(pos or 0), tonumber(bytes or 0), tonumber(count or 0)
local function woken(cursor, after)
  if holder and holder ~= replica then tell(inboxes .. holder, 'wake', reader) end
  return {'ok', cursor, holder == replica and reader or '', after}
end
if newest == tag then return woken(int(pos) .. '-' .. tag) end
if ended then return {'ended'} end

local after = newest and int(pos) .. '-' .. newest or ''
pos = pos + 1
local cursor = int(pos) .. '-' .. tag
if #data > max_bytes then
  after = nil
  redis.call('DEL', KEYS[4])
  bytes, count, floor = 0, 0, cursor
else
  redis.call('XADD', KEYS[4], cursor, 'd', data, 'l', last)
  bytes, count = bytes + #data, count + 1
  while count > max_events or bytes > max_bytes do
    local oldest = redis.call('XRANGE', KEYS[4], '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', KEYS[4], oldest[1])
    bytes, count, floor = bytes - #oldest[2][2], count - 1, oldest[1]
  end
end

redis.call('HSET', KEYS[3], 'pos', int(pos), 'tag', tag, 'bytes', int(bytes), 'count', int(count),
  'touched', int(now), 'producer', replica)
if floor then redis.call('HSET', KEYS[3], 'floor', floor) end
if last == '1' then redis.call('HSET', KEYS[3], 'ended', '1') end
redis.call('ZADD', KEYS[2], now, id)
keep(ARGV[13], KEYS[2], KEYS[3], KEYS[4])

-- What the session keeps in all. The count is too high when streams have lapsed, and then made anew.
if redis.call('HINCRBY', KEYS[1], 'bytes', #data) > tonumber(ARGV[14]) then
  make_small(base, KEYS[1], KEYS[2], id, tonumber(ARGV[14]))
end
return woken(cursor, after)
`,
);

/**
 * Reads on from a cursor.
 *
 * KEYS[1] books of the stream  KEYS[2] its events
 * ARGV[1] now or ''  ARGV[2] retention, ms  ARGV[3] cursor or '' for the beginning  ARGV[4] most events
 * returns {'ok', producer, cursor, data, '1' if last, cursor, data, ...} | {'ended'} | {'gap'} | {'unknown'}
 */
export const READ = new LuaScript(
  'rookeryRead',
  `${STREAMS}
local after, limit = ARGV[3], tonumber(ARGV[4])
if is_over(KEYS[1], clock(ARGV[1]), tonumber(ARGV[2])) then return {'unknown'} end
local pos, tag, ended, floor, producer = unpack(redis.call('HMGET', KEYS[1], 'pos', 'tag', 'ended', 'floor', 'producer'))
if not pos then return {'unknown'} end
if ended and after == pos .. '-' .. tag then return {'ended'} end

local entries
if after == (floor or '') then
  entries = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', limit)
elseif after == '' then
  return {'gap'}
else
  entries = redis.call('XRANGE', KEYS[2], after, '+', 'COUNT', limit + 1)
  -- What was read last must still be there, or else it is not known what came after it.
  if not entries[1] or entries[1][1] ~= after then return {'gap'} end
  table.remove(entries, 1)
end
local result = {'ok', producer}
for _, entry in ipairs(entries) do
  result[#result + 1] = entry[1]
  result[#result + 1] = entry[2][2]
  result[#result + 1] = entry[2][4]
end
return result
`,
);

/**
 * Takes a stream over for a connection.
 *
 * KEYS[1] session  KEYS[2] index of its streams  KEYS[3] books of the stream; and, when the session has too many
 * streams, the keys of another one of the same session
 * ARGV[1] now or ''  ARGV[2] base  ARGV[3] stream id  ARGV[4] this replica  ARGV[5] id of the connection
 * ARGV[6] what the names of inboxes begin with  ARGV[7] most streams  ARGV[8] retention, ms
 * ARGV[9] life of the keys, ms  ARGV[10] session id
 * returns {'ok', replica that held the stream or '', position} | {'gone'} | {'full'}
 */
export const ATTACH = new LuaScript(
  'rookeryAttach',
  `${STREAMS}
local now, base, id, replica, connection, inboxes = clock(ARGV[1]), unpack(ARGV, 2, 6)
if redis.call('EXISTS', KEYS[1]) == 0 then return {'gone'} end
if is_over(KEYS[3], now, tonumber(ARGV[8])) then
  drop(base, KEYS[2], id)
  if not make_room(base, KEYS[2], now, tonumber(ARGV[8]), tonumber(ARGV[7])) then return {'full'} end
end
local holder, reader, pos = unpack(redis.call('HMGET', KEYS[3], 'holder', 'reader', 'pos'))
redis.call('HSET', KEYS[3], 'holder', replica, 'reader', connection)
redis.call('HSETNX', KEYS[3], 'touched', int(now))
redis.call('ZADD', KEYS[2], 'NX', now, id)
keep(ARGV[9], KEYS[2], KEYS[3], base .. 'stream:' .. id)
if holder and holder ~= replica then
  tell(inboxes .. holder, 'displaced', ARGV[10], id, reader, replica, connection)
end
return {'ok', holder or '', pos or '0'}
`,
);

/**
 * Lets go of a stream, if the connection still holds it.
 *
 * KEYS[1] index of the streams  KEYS[2] books of the stream  KEYS[3] its events
 * ARGV[1] now or ''  ARGV[2] stream id  ARGV[3] id of the connection
 */
export const DETACH = new LuaScript(
  'rookeryDetach',
  `
if redis.call('HGET', KEYS[2], 'reader') ~= ARGV[3] then return end
local now = clock(ARGV[1])
if redis.call('HEXISTS', KEYS[2], 'pos') == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('ZREM', KEYS[1], ARGV[2])
  return
end
redis.call('HDEL', KEYS[2], 'holder', 'reader')
redis.call('HSET', KEYS[2], 'touched', int(now))
redis.call('ZADD', KEYS[1], now, ARGV[2])
`,
);

/**
 * Keeps a stream that is being read, and says how it stands.
 *
 * KEYS[1] session  KEYS[2] index of the streams  KEYS[3] books of the stream  KEYS[4] its events
 * ARGV[1] id of the connection  ARGV[2] life of the keys, ms
 * returns {'held', position} | {'lost'} when the connection does not hold it any more or the session is gone
 */
export const HOLD = new LuaScript(
  'rookeryHold',
  `
local reader, pos = unpack(redis.call('HMGET', KEYS[3], 'reader', 'pos'))
if redis.call('EXISTS', KEYS[1]) == 0 or reader ~= ARGV[1] then return {'lost'} end
for i = 2, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
return {'held', pos or '0'}
`,
);

/**
 * Removes all streams of a session and tells their readers.
 *
 * KEYS[1] index of the streams; and the keys of each stream in it
 * ARGV[1] base  ARGV[2] what the names of inboxes begin with  ARGV[3] session id
 */
export const CLEAR = new LuaScript(
  'rookeryClear',
  `
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local meta = ARGV[1] .. 'meta:' .. id
  local holder, reader = unpack(redis.call('HMGET', meta, 'holder', 'reader'))
  if holder then tell(ARGV[2] .. holder, 'displaced', ARGV[3], id, reader, '', '') end
  redis.call('DEL', meta, ARGV[1] .. 'stream:' .. id)
end
redis.call('DEL', KEYS[1])
`,
);
