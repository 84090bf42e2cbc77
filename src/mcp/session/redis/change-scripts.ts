import { LuaScript } from './lua-script.js';

/*
 * The bus is a Redis Stream of the changes and a hash that keeps its books:
 *
 *   pos, tag   position and tag of the newest change; its id, and so its cursor, is `<pos>-<tag>`
 *   floor      id of the newest change that is not kept; of a new bus, position 0 with a tag of its own
 *
 * Positions have no holes. Tags are random, so that a cursor is known for foreign when the bus lost its tail in a
 * failover and has since written other changes at the same positions.
 */

/** Shared by the scripts that follow; KEYS[1] is the stream and KEYS[2] its books. */
const BOOKS = `
-- Position of the newest change, its id, and the floor; begins a new bus if there is none.
local function books(tag)
  local pos, newest, floor = unpack(redis.call('HMGET', KEYS[2], 'pos', 'tag', 'floor'))
  if not pos then
    redis.call('DEL', KEYS[1])
    floor = '0-' .. tag
    redis.call('HSET', KEYS[2], 'pos', '0', 'tag', tag, 'floor', floor)
    return 0, floor, floor
  end
  local id = pos .. '-' .. newest
  -- One of the two keys was lost: what the books say is kept is not there, so nothing is.
  if redis.call('XLEN', KEYS[1]) ~= pos - string.match(floor, '^%d+') then
    redis.call('DEL', KEYS[1])
    floor = id
    redis.call('HSET', KEYS[2], 'floor', floor)
  end
  return tonumber(pos), id, floor
end
`;

/**
 * Adds a change, forgets those beyond the capacity and tells every replica.
 *
 * KEYS[1] stream of changes  KEYS[2] its books
 * ARGV[1] channel of every replica  ARGV[2] tag  ARGV[3] the change as JSON  ARGV[4] capacity
 * ARGV[5] a cursor from before the change was sent for the first time, or '-' if none is known
 * tells 'change', id, the change as JSON, id of the change before
 * returns {id, id of the change before}
 *
 * A change with the tag of one since then is that one, sent again because its reply was lost, or sent before and come
 * late: it is not added, and the id of the change before is ''.
 */
export const PUBLISH = new LuaScript(
  'rookeryPublish',
  `${BOOKS}
local everyone, tag, change, capacity, since = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local pos, before = books(tag)
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], since, '+')) do
  if string.match(entry[1], '%d+$') == tag then return {entry[1], ''} end
end

pos = pos + 1
local id = int(pos) .. '-' .. tag
redis.call('XADD', KEYS[1], id, 'c', change)
redis.call('HSET', KEYS[2], 'pos', int(pos), 'tag', tag)
if redis.call('XLEN', KEYS[1]) > capacity then
  local dropped = int(pos - capacity)
  redis.call('HSET', KEYS[2], 'floor', redis.call('XRANGE', KEYS[1], dropped, dropped)[1][1])
  redis.call('XTRIM', KEYS[1], 'MAXLEN', capacity)
end
tell(everyone, 'change', id, change, before)
return {id, before}
`,
);

/**
 * Reads what came after a cursor.
 *
 * KEYS[1] stream of changes  KEYS[2] its books
 * ARGV[1] tag, for a new bus  ARGV[2] cursor, or '' to learn the newest one only
 * returns {'ok', newest cursor, id, change as JSON, id, change as JSON, ...} | {'gap', newest cursor}
 */
export const SINCE = new LuaScript(
  'rookerySince',
  `${BOOKS}
local after = ARGV[2]
local _, newest, floor = books(ARGV[1])
if after == newest then return {'ok', newest} end
if after == '' then return {'gap', newest} end
if after ~= floor then
  local entry = redis.call('XRANGE', KEYS[1], after, after)[1]
  if not entry or entry[1] ~= after then return {'gap', newest} end
end

local result = {'ok', newest}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], after, '+')) do
  if entry[1] ~= after then
    result[#result + 1] = entry[1]
    result[#result + 1] = entry[2][2]
  end
end
return result
`,
);
