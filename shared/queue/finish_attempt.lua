-- FINISH_ATTEMPT: the attempt begun under this claim has ended. States: none changes.
-- KEYS  the conversation's (see _conversation.lua), 17 call; writes call
-- ARGV  1 id  2 conversation_ttl  3 claim  4 record of the attempt
-- Returns {recorded}, {refused} (a repeat, or not begun under this claim, or no such call) or {gone}.
-- include: _conversation.lua
if redis.call('EXISTS', CONV) == 0 then return gone() end
if redis.call('HGET', EXTRA, 'open') ~= ARGV[3] then return {'refused'} end
redis.call('HSET', EXTRA, 'attempt:' .. redis.call('HGET', EXTRA, 'attempts'), ARGV[4])
redis.call('HDEL', EXTRA, 'open')
return {'recorded'}
