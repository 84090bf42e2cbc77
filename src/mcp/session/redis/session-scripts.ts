import { LuaScript } from './lua-script.js';

/*
 * A session is a hash, with a set of the URIs it subscribed to and a hash of the replicas that watch it:
 *
 *   owner, created, seen   as in the record
 *   log       log level, once the client has set one
 *   record    JSON of what never changes: revision, clientInfo, clientCapabilities
 *   epoch     random; tells it apart from another session of the same id
 *   version   random, and another one after each change of the record
 *   entered   milliseconds: when it was entered last, or made
 *   r:<JSON of a request id>   the replica that runs the request
 *   c:<JSON of a request id>   it was cancelled, for this reason; set by the mailbox
 *
 * Two kinds of sorted sets count sessions, of all and of one owner, since no script sees keys of more than one session.
 * They may name sessions that have ended: whoever finds one full looks at those that may have.
 */

/**
 * What the steps on one session have in common:
 *
 * KEYS[1] session; the names of its other keys are made from it, and have the same hash tag
 * ARGV[1] epoch milliseconds, or '' for the clock of the server  ARGV[2] idleMs  ARGV[3] absoluteMs
 */
const SESSION = `
local now = clock(ARGV[1])

-- Another key of the session.
local function own(name)
  return string.sub(KEYS[1], 1, -8) .. name
end

-- The moment at which the session ends that was entered and created then; nil if there is none. What has ended is
-- removed.
local function ends(entered, created)
  if not entered then return nil end
  local at = math.min(entered + ARGV[2], created + ARGV[3])
  if at > now then return at end
  redis.call('UNLINK', KEYS[1], own('subscriptions'), own('watchers'))
  return nil
end

local function ending()
  local times = redis.call('HMGET', KEYS[1], 'entered', 'created')
  return ends(times[1], times[2])
end

-- Keys may outlive a session that is idle by so many milliseconds: then not every request has to renew them.
local slack = math.min(30000, ARGV[2] / 10)

-- Lets keys lapse at some moment. Redis lapses them by its own clock: where another one is given, that is
-- merely to leave no rubbish behind, and must not come early.
local function lapse(at, ...)
  local rest = at - now
  if ARGV[1] ~= '' then rest = math.max(rest, 60000) end
  for _, key in ipairs({...}) do redis.call('PEXPIRE', key, int(rest)) end
end
`;

/**
 * Makes a session.
 *
 * KEYS, ARGV[1..3] as above
 * ARGV[4] owner  ARGV[5] JSON of what never changes  ARGV[6] epoch  ARGV[7] log level or ''  ARGV[8] seen
 * ARGV[9] createdAt  ARGV[10...] subscriptions
 * Returns 1, or 0 if a session has the id.
 */
export const CREATE = new LuaScript(
  'rookerySessionCreate',
  `${SESSION}
if ending() then return 0 end
redis.call('UNLINK', KEYS[1], own('subscriptions'), own('watchers'))
-- All moments are by one clock: the server's, unless another one is given.
local created = ARGV[1] == '' and int(now) or ARGV[9]
redis.call('HSET', KEYS[1], 'owner', ARGV[4], 'record', ARGV[5], 'epoch', ARGV[6], 'version', ARGV[6], 'seen',
  ARGV[8], 'created', created, 'entered', int(now))
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'log', ARGV[7]) end
for i = 10, #ARGV do redis.call('SADD', own('subscriptions'), ARGV[i]) end
lapse(math.min(now + ARGV[2] + slack, created + ARGV[3]), KEYS[1], own('subscriptions'))
return 1
`,
);

/**
 * Loads a session for its owner, renews it, and marks a request as running.
 *
 * KEYS, ARGV[1..3] as above
 * ARGV[4] owner  ARGV[5] JSON of the request id, or '' for no request  ARGV[6] this replica
 * ARGV[7] the replica whose mark does not count, or ''  ARGV[8] version of the record that this replica has, or ''
 * Returns nil if the owner has no such session, the holder if that replica runs the request, 1 if the record is as this
 * replica has it, and otherwise {version, record, log level, seen, createdAt, subscriptions}.
 */
export const ENTER = new LuaScript(
  'rookerySessionEnter',
  `${SESSION}
local mark, cancelled = 'r:' .. ARGV[5], 'c:' .. ARGV[5]
local stored = redis.call('HMGET', KEYS[1], 'entered', 'created', 'owner', 'version', mark, cancelled)
local entered, created = stored[1], stored[2]
if not ends(entered, created) or stored[3] ~= ARGV[4] then return nil end

local holder = stored[5]
local held = holder and holder ~= ARGV[7]
if held or ARGV[5] == '' then
  redis.call('HSET', KEYS[1], 'entered', int(now))
else
  redis.call('HSET', KEYS[1], 'entered', int(now), mark, ARGV[6])
  -- A cancellation of the run that was given up is not meant for this one.
  if stored[6] then redis.call('HDEL', KEYS[1], cancelled) end
end
local rest = math.min(now + ARGV[2], created + ARGV[3]) - now
local left = redis.call('PTTL', KEYS[1])
if ARGV[1] ~= '' or left < rest or left > rest + slack then
  lapse(math.min(now + ARGV[2] + slack, created + ARGV[3]), KEYS[1], own('subscriptions'), own('watchers'))
end
if held then return holder end
if stored[4] == ARGV[8] then return 1 end
local record = redis.call('HMGET', KEYS[1], 'version', 'record', 'log', 'seen', 'created')
record[6] = redis.call('SMEMBERS', own('subscriptions'))
return record
`,
);

/**
 * Takes a mark back that nobody knows of, because the answer to ENTER was lost.
 *
 * KEYS[1] session
 * ARGV[1] JSON of the request id  ARGV[2] the replica whose mark it must be
 */
export const UNMARK = new LuaScript(
  'rookerySessionUnmark',
  `
if redis.call('HGET', KEYS[1], 'r:' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'r:' .. ARGV[1], 'c:' .. ARGV[1])
end
`,
);

/**
 * Changes a session, without renewing it, and tells the replicas that watch it.
 *
 * KEYS, ARGV[1..3] as above
 * ARGV[4] 'log', 'seen', 'subscribe', 'unsubscribe' or 'owner'  ARGV[5] its value  ARGV[6] most subscriptions
 * ARGV[7] session id  ARGV[8] what the names of inboxes begin with  ARGV[9] version of the record after it
 * ARGV[10] for 'owner' whose it must be
 * Tells each replica that watches 'record', session id, epoch.
 * Returns {'gone'}, {'done'}, or {'full', number of subscriptions}.
 */
export const UPDATE = new LuaScript(
  'rookerySessionUpdate',
  `${SESSION}
local at = ending()
if not at then return {'gone'} end

local change, value = ARGV[4], ARGV[5]
if change == 'subscribe' then
  if redis.call('SISMEMBER', own('subscriptions'), value) == 0 then
    local count = redis.call('SCARD', own('subscriptions'))
    if count >= tonumber(ARGV[6]) then return {'full', count} end
    redis.call('SADD', own('subscriptions'), value)
    lapse(at + slack, own('subscriptions'))
  end
elseif change == 'unsubscribe' then
  redis.call('SREM', own('subscriptions'), value)
else
  if change == 'owner' and redis.call('HGET', KEYS[1], 'owner') ~= ARGV[10] then return {'gone'} end
  redis.call('HSET', KEYS[1], change, value)
end
redis.call('HSET', KEYS[1], 'version', ARGV[9])

local epoch = redis.call('HGET', KEYS[1], 'epoch')
for _, replica in ipairs(redis.call('HKEYS', own('watchers'))) do tell(ARGV[8] .. replica, 'record', ARGV[7], epoch) end
return {'done'}
`,
);

/**
 * Loads a session for a replica that watches it, without renewing it, and sees to it that changes are told there.
 *
 * KEYS, ARGV[1..3] as above
 * ARGV[4] the replica
 * Returns nil if there is no such session, and otherwise
 * {epoch, owner, record, log level, seen, createdAt, subscriptions}.
 */
export const WATCH = new LuaScript(
  'rookerySessionWatch',
  `${SESSION}
local at = ending()
if not at then return nil end
-- Looked at first: most of the time it is there, and nothing need be written.
if redis.call('HEXISTS', own('watchers'), ARGV[4]) == 0 then
  redis.call('HSET', own('watchers'), ARGV[4], '1')
  lapse(at + slack, own('watchers'))
end
local stored = redis.call('HMGET', KEYS[1], 'epoch', 'owner', 'record', 'log', 'seen', 'created')
stored[7] = redis.call('SMEMBERS', own('subscriptions'))
return stored
`,
);

/**
 * Removes a session and all that belongs to it, and tells everyone.
 *
 * KEYS, ARGV[1..3] as above
 * ARGV[4] session id  ARGV[5] channel of all replicas  ARGV[6] what the names of inboxes begin with
 * Tells everyone 'gone', session id, epoch; and each replica that holds a reader of a stream 'displaced', session id,
 * stream id, reader, '', ''.
 * Returns {1 if the session had not ended before, owner}, or nil if nothing is known of it.
 */
export const DELETE = new LuaScript(
  'rookerySessionDelete',
  `${SESSION}
local stored = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
local found = ending() and 1 or 0

-- First, so that calls end before their connections close.
if stored[1] then tell(ARGV[5], 'gone', ARGV[4], stored[2]) end
for _, stream in ipairs(redis.call('ZRANGE', own('streams'), 0, -1)) do
  local meta = own('meta:' .. stream)
  local reading = redis.call('HMGET', meta, 'holder', 'reader')
  redis.call('UNLINK', meta, own('stream:' .. stream))
  if reading[1] then tell(ARGV[6] .. reading[1], 'displaced', ARGV[4], stream, reading[2] or '', '', '') end
end
redis.call('UNLINK', KEYS[1], own('subscriptions'), own('watchers'), own('asks'), own('streams'))
if not stored[1] then return nil end
return {found, stored[1]}
`,
);

/**
 * When a session ends.
 *
 * KEYS, ARGV[1..3] as above
 * ARGV[4] owner it must have, or '' for any
 * Returns epoch milliseconds, or 0 if there is no such session.
 */
export const ENDING = new LuaScript(
  'rookerySessionEnding',
  `${SESSION}
local at = ending()
if not at then return 0 end
if ARGV[4] ~= '' and redis.call('HGET', KEYS[1], 'owner') ~= ARGV[4] then return 0 end
return at
`,
);

/**
 * What the steps on an index have in common:
 *
 * KEYS[1] sorted set: session ids by a moment before which they do not end
 * ARGV[1] epoch milliseconds, or '' for the clock of the server
 */
const INDEX = `
local now = clock(ARGV[1])

-- Sessions that may have ended, not too many to look at.
local function due()
  return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', int(now), 'LIMIT', 0, 100)
end
`;

/**
 * Counts a session that is to be made.
 *
 * KEYS, ARGV[1] as above
 * ARGV[2] idleMs  ARGV[3] absoluteMs  ARGV[4] session id  ARGV[5] createdAt  ARGV[6] most sessions
 * Returns 1, 0 if it was counted before, or, if there is no room, the ids of at most 100 sessions that may have ended.
 */
export const RESERVE = new LuaScript(
  'rookerySessionReserve',
  `${INDEX}
if redis.call('ZSCORE', KEYS[1], ARGV[4]) then return 0 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[6]) then return due() end
redis.call('ZADD', KEYS[1], int(math.min(now + ARGV[2], (ARGV[1] == '' and now or ARGV[5]) + ARGV[3])), ARGV[4])
-- By then, all that are in it now have ended.
redis.call('PEXPIRE', KEYS[1], int(ARGV[1] == '' and ARGV[3] or math.max(ARGV[3], 60000)))
return 1
`,
);

/**
 * Finds sessions that may have ended.
 *
 * KEYS, ARGV[1] as above
 * Returns the ids of at most 100.
 */
export const DUE = new LuaScript(
  'rookerySessionDue',
  `${INDEX}
return due()
`,
);
