-- KEEP_DOMAIN: the host of a service was looked up.
-- KEYS  as LOOK_DOMAIN
-- ARGV  1 host  2 for how long it is kept in case it cannot be looked up again, in ms
-- Returns when, in ms.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('SET', KEYS[1], string.format('%d|%s', now, ARGV[1]), 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
return now
