-- FIGURES: what one shard has to do and holds. Reads only, each in constant or logarithmic time.
-- KEYS  1 dialog queue  2 integration queue  3 due  4 dead  5 alive
-- Returns {conversations waiting for a worker, oldest, calls waiting, oldest, calls being made, busy, dead, alive}:
--   `oldest` is how long the first job has been due, in ms; busy = waiting, in a turn or with a call.
-- A claimed or deferred job stands in the future; one whose worker died is due again.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function waiting(queue)
  local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
  return redis.call('ZCOUNT', queue, '-inf', now), first[2] and math.max(0, now - tonumber(first[2])) or 0
end

local conversations, oldest = waiting(KEYS[1])
local calls, oldest_call = waiting(KEYS[2])
return {conversations, oldest, calls, oldest_call, redis.call('ZCARD', KEYS[2]) - calls, redis.call('ZCARD', KEYS[3]),
  redis.call('XLEN', KEYS[4]), redis.call('ZCARD', KEYS[5])}
