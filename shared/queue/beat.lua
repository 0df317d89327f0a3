-- BEAT: a program says that it runs. What is not said again within the life given is forgotten.
-- KEYS  1 programs: sorted set, program -> when it last said so  2 what this one says of itself
-- ARGV  1 program  2 what it says  3 its life in ms
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local life = tonumber(ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', life)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - life)
redis.call('PEXPIRE', KEYS[1], life)
return now
