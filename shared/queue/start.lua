-- START: an attempt of the awaited call is about to be made. States: waiting stays so; all others refuse.
-- The first START turns the allowance into the call's own deadline: its budget from now, never later than COMMIT said.
-- KEYS  the conversation's (see _conversation.lua), 17 call; writes conv, call, due
--       call  hash  integration, version, values, budget, attempts (begun), open (claim of the attempt that has not
--             ended), cut (1: the attempt before never ended), attempt:<n> (how the n-th ended)
-- ARGV  1 id  2 conversation_ttl  3 call id  4 claim: a repeat under it, its attempt open, is answered alike
-- Returns {go, attempts before, left in ms, interrupted, integration, version, values, records of ended
--   attempts, seal},
--   {refused}, {late} or {gone}.
-- include: _conversation.lua
local LOST_AFTER = 5000
local call, claim = ARGV[3], ARGV[4]

local c = read()
if not c.state then return gone() end
if c.state ~= 'waiting' or c.call ~= call then return {'refused'} end

local found = redis.call('HMGET', EXTRA, 'integration', 'version', 'values', 'budget', 'open', 'cut')
local deadline = tonumber(c.call_deadline)
if NOW >= deadline or not found[1] then return {'late'} end

if not c.started then
  deadline = math.min(deadline, NOW + tonumber(found[4]))
  set('started', 1)
  set('call_deadline', deadline)
  store()
  redis.call('PEXPIREAT', EXTRA, deadline + GRACE)
  redis.call('ZADD', DUE, deadline + LOST_AFTER, ID)
end
local cut = found[6]
if found[5] ~= claim then
  cut = found[5] and '1' or '0'
  redis.call('HINCRBY', EXTRA, 'attempts', 1)
  redis.call('HSET', EXTRA, 'open', claim, 'cut', cut)
end

local before = tonumber(redis.call('HGET', EXTRA, 'attempts')) - 1
local ended = {}
for i = 1, before do
  local record = redis.call('HGET', EXTRA, 'attempt:' .. i)
  if record then ended[#ended + 1] = record end
end
return {'go', before, deadline - NOW, tonumber(cut), found[1], found[2], found[3], ended,
  redis.call('HGET', CONV, 'seal') or ''}
