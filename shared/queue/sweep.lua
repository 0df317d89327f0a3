-- SWEEP: says whether this worker may sweep the shard now, and which conversations are overdue. States: none changes.
-- KEYS  1 sweeper  2 due; writes sweeper
-- ARGV  1 who asks  2 most conversations
-- Returns the ids of overdue conversations, or false when somebody else is the sweeper.
local LOCK_TTL = 2000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', LOCK_TTL)
return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2])
