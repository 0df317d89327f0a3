-- KEEP_SEAL: gives a conversation its key, unless it has one. States: none changes.
-- KEYS  the conversation's (see _conversation.lua); writes conv
-- ARGV  1 id  2 conversation_ttl  3 key, sealed
-- Returns {kept, the key it has now} or {gone}.
-- include: _conversation.lua
if not read().state then return gone() end
redis.call('HSETNX', CONV, 'seal', ARGV[3])
return {'kept', redis.call('HGET', CONV, 'seal')}
