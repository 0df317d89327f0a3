-- LIVE: a worker that holds places, or waits for some, lives. Who does not say so for five seconds loses them.
-- KEYS  1 living: string, when it last said so
-- ARGV  1 for how long that is kept, in ms
-- Returns when, in ms.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('SET', KEYS[1], now, 'PX', ARGV[1])
return now
