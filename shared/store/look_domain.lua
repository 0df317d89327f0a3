-- LOOK_DOMAIN: what is known of the host of a service, and whether the caller is to look it up again: one of all workers.
-- KEYS  1 domain: string, `<when it was found>|<host>`  2 lock of who looks it up
-- ARGV  1 for how long a host is fresh  2 for how long a looking-up is left to one worker; in ms
-- Returns {host or nil, for how long it is fresh still (0: stale), 1 when the caller is to look it up}.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found = redis.call('GET', KEYS[1])
local at, host = string.match(found or '', '^(%d+)|(.+)$')
local left = at and math.max(0, tonumber(at) + tonumber(ARGV[1]) - now) or 0
if left > 0 then return {host, left, 0} end
local ours = redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2])
return {host or false, 0, ours and 1 or 0}
