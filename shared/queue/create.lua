-- CREATE: makes a conversation. States: none → idle; a repeat changes nothing and is answered alike.
-- KEYS  the conversation's (see _conversation.lua), 17 alive  18 conversations of its user; writes conv and these
-- ARGV  1 id  2 conversation_ttl  3 bot  4 user  5 channel  6 profile  7 channel key  8 session length in ms
--       9 its key, sealed, or ''
-- Returns when it was created.
-- include: _conversation.lua
local created = redis.call('HGET', CONV, 'created')
if created then return tonumber(created) end

redis.call('HSET', CONV, 'bot', ARGV[3], 'user', ARGV[4], 'channel', ARGV[5], 'profile', ARGV[6], 'key', ARGV[7],
  'session_ms', math.min(tonumber(ARGV[8]), TTL), 'status', 'open', 'state', 'idle', 'created', NOW, 'seq', 0, 'posted', 0)
if ARGV[9] ~= '' then redis.call('HSET', CONV, 'seal', ARGV[9]) end
keep()
redis.call('ZADD', EXTRA, NOW + math.min(TTL, UNUSED_TTL), ID .. '|' .. ARGV[4])  -- the user outlives the conversation

-- whose conversations there are, so that somebody can be forgotten: a few that have ended make room; SWEEP renews it
local OF_USER, LOOKED_AT, SWEPT_WITHIN = KEYS[18], 4, 86400000
for _, other in ipairs(redis.call('ZRANGE', OF_USER, 0, LOOKED_AT - 1)) do
  if redis.call('EXISTS', string.gsub(CONV, '[^:]*$', '') .. other) == 0 then redis.call('ZREM', OF_USER, other) end
end
redis.call('ZADD', OF_USER, NOW, ID)
redis.call('PEXPIRE', OF_USER, math.max(redis.call('PTTL', OF_USER), math.min(TTL, UNUSED_TTL) + SWEPT_WITHIN))
return NOW
