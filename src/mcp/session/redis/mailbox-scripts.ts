import { LuaScript } from './lua-script.js';

/*
 * The questions of a session are one hash, from the id of the question to where it stands:
 *
 *   p<replica>   the call on that replica waits for the answer
 *   a<JSON>      answered; the answer waits to be fetched
 *
 * Cancellations are marks in the record of the session, beside those of the requests that are running:
 *
 *   r:<JSON of the request id>   the request is running; set and removed by the session store
 *   c:<JSON of the request id>   it was cancelled, for this reason (JSON, null for none); removed by the session store
 */

/**
 * Marks a request as cancelled and tells every replica, if it is running.
 *
 * KEYS[1] session
 * ARGV[1] channel of every replica  ARGV[2] session id  ARGV[3] request id as JSON  ARGV[4] reason as JSON, or 'null'
 * tells 'cancel', session id, request id as JSON, reason as JSON
 */
export const CANCEL = new LuaScript(
  'rookeryCancel',
  `
local everyone, session, request, reason = unpack(ARGV)
if redis.call('HEXISTS', KEYS[1], 'r:' .. request) == 0 then return end
redis.call('HSET', KEYS[1], 'c:' .. request, reason)
tell(everyone, 'cancel', session, request, reason)
`,
);

/**
 * Makes sure that a question is registered, and says where it stands.
 *
 * KEYS[1] questions of the session
 * ARGV[1] id of the question  ARGV[2] replica that asks  ARGV[3] milliseconds to keep it for
 * returns where it stands, as in the hash
 */
export const EXPECT = new LuaScript(
  'rookeryExpect',
  `
redis.call('HSETNX', KEYS[1], ARGV[1], 'p' .. ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('HGET', KEYS[1], ARGV[1])
`,
);

/**
 * Keeps the answer to a question that waits for one, and tells the replica that asked, unless that is this one.
 *
 * KEYS[1] questions of the session
 * ARGV[1] id of the question  ARGV[2] the answer as JSON  ARGV[3] this replica  ARGV[4] what the names of inboxes begin
 * with  ARGV[5] session id
 * tells 'answered', session id, id of the question
 * returns the replica that asked, or '' if the question is unknown or was answered before
 */
export const ANSWER = new LuaScript(
  'rookeryAnswer',
  `
local ask, answer, replica, inboxes, session = unpack(ARGV)
local stands = redis.call('HGET', KEYS[1], ask)
if not stands or string.sub(stands, 1, 1) ~= 'p' then return '' end
local asker = string.sub(stands, 2)
redis.call('HSET', KEYS[1], ask, 'a' .. answer)
if asker ~= replica then tell(inboxes .. asker, 'answered', session, ask) end
return asker
`,
);

/**
 * Forgets the questions of a session and tells every replica that the session has ended.
 *
 * KEYS[1] questions of the session
 * ARGV[1] channel of every replica  ARGV[2] session id
 * tells 'ended', session id
 */
export const END = new LuaScript(
  'rookeryEnd',
  `
redis.call('DEL', KEYS[1])
tell(ARGV[1], 'ended', ARGV[2])
`,
);
