-- FINISH_ATTEMPT: the attempt begun under this claim has ended, or has not been made yet. States: none changes.
-- KEYS  the conversation's (see _conversation.lua), 17 call; writes call
-- ARGV  1 id  2 conversation_ttl  3 claim  4 record of the attempt; empty: it is not made for now, and does not count
-- Returns {recorded}, {refused} (a repeat, or not begun under this claim, or no such call) or {gone}.
-- include: _conversation.lua
if redis.call('EXISTS', CONV) == 0 then return gone() end
if redis.call('HGET', EXTRA, 'open') ~= ARGV[3] then return {'refused'} end
if ARGV[4] == '' then
  redis.call('HINCRBY', EXTRA, 'attempts', -1)
else
  redis.call('HSET', EXTRA, 'attempt:' .. redis.call('HGET', EXTRA, 'attempts'), ARGV[4])
end
redis.call('HDEL', EXTRA, 'open')
return {'recorded'}
