-- CREATE: makes a conversation. States: none → idle; a repeat changes nothing and is answered alike.
-- KEYS  the conversation's (see _conversation.lua), 17 alive; writes conv, alive
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
redis.call('ZADD', EXTRA, NOW + math.min(TTL, UNUSED_TTL), ID)
return NOW
