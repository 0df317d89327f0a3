-- TAKE: counts a request of an address. States: none changes.
-- KEYS  1 what the address has taken (see _rate.lua); writes it
-- ARGV  1 most a minute
-- Returns 0, or in how many ms the next one may come.
local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- include: _rate.lua
return take(KEYS[1], ARGV[1])
