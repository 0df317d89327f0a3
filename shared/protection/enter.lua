-- ENTER: an attempt is about to be made; may it? Asked again by whoever was told to wait, and when a pause is over.
-- A repeat is answered alike.
-- KEYS  as in _guards.lua
-- ARGV  2 time left of the call  3 unused; the others as in _guards.lua
-- Returns {go, pause before the attempt, 0}, {wait, when to ask again if not told before, guard},
--   {open, how long the breaker stays open at least, guard}, {late, when its rate has a place, guard}: times in ms;
--   after `open` and `late` nothing is held any more.
-- include: _guards.lua
local DEADLINE = NOW + tonumber(ARGV[2])

local function refuse(word, ms, number)
  for _, g in ipairs(GUARDS) do
    let_go(g)
    redis.call('ZREM', g.starts, TICKET)
    serve(g)
    keep(g)
  end
  return {word, ms, number}
end

-- How long attempts are refused still, nil when the breaker lets this one through.
local function closed_for(g)
  if g.failures == 0 then return nil end
  local found = redis.call('HMGET', g.guard, 'state', 'since', 'probe')
  local state, since, probe = found[1], tonumber(found[2]), found[3]
  if state == 'open' then
    if NOW < since + g.open then return since + g.open - NOW end
    redis.call('HSET', g.guard, 'state', 'half', 'since', NOW)
    redis.call('HDEL', g.guard, 'probe')
  elseif state == 'half' and probe and probe ~= TICKET then
    local held = tonumber(redis.call('ZSCORE', g.permits, probe))
    if held and held > NOW then return math.min(held - NOW, g.open) end
  end
  return nil
end

-- When the rate has a place: now, or so long after the attempt that would be one too many. A call may have its place
-- in the future, so that every attempt is asked for once and in order.
local function first_start(g)
  local longest = math.max(g.per, tonumber(redis.call('HGET', g.guard, 'per') or 0))  -- of all bots that call the host
  redis.call('HSET', g.guard, 'per', longest)
  redis.call('ZREMRANGEBYSCORE', g.starts, '-inf', NOW - longest)
  local nth = redis.call('ZREVRANGE', g.starts, g.count - 1, g.count - 1, 'WITHSCORES')
  return nth[2] and math.max(NOW, tonumber(nth[2]) + g.per) or NOW
end

redis.call('SET', KEYS[3] .. worker_of(TICKET), NOW, 'PX', TELL)
for _, g in ipairs(GUARDS) do
  redis.call('ZADD', KEYS[1], NOW, g.id)
  redis.call('HSET', g.guard, 'name', g.name, 'limits', g.limits)
  redis.call('PEXPIRE', g.guard, KEEP)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', NOW - KEEP)
redis.call('PEXPIRE', KEYS[1], KEEP)
for number, g in ipairs(GUARDS) do
  local left = closed_for(g)
  if left then return refuse('open', left, number) end
end

for number, g in ipairs(GUARDS) do
  if g.concurrency > 0 and not redis.call('ZSCORE', g.permits, TICKET) then
    redis.call('ZADD', g.line, DEADLINE, TICKET)
    serve(g)
  end
  if g.concurrency > 0 and not redis.call('ZSCORE', g.permits, TICKET) then
    keep(g)
    local soonest = redis.call('ZRANGE', g.permits, 0, 0, 'WITHSCORES')
    local free = soonest[2] and tonumber(soonest[2]) - NOW or LONGEST_WAIT
    return {'wait', math.max(1, math.min(free, LONGEST_WAIT)), number}
  end
  redis.call('ZADD', g.permits, DEADLINE + GRACE, TICKET)
  keep(g)
end

local start, slowest = NOW, 0
for number, g in ipairs(GUARDS) do
  if g.count > 0 then
    local own = redis.call('ZSCORE', g.starts, TICKET)
    local possible = own and tonumber(own) or first_start(g)
    if possible > start then start, slowest = possible, number end
  end
end
if start >= DEADLINE then return refuse('late', start - NOW, slowest) end
for _, g in ipairs(GUARDS) do
  if g.count > 0 then redis.call('ZADD', g.starts, 'NX', start, TICKET) end
  if g.failures > 0 and redis.call('HGET', g.guard, 'state') == 'half' then
    redis.call('HSET', g.guard, 'probe', TICKET)
  end
  keep(g)
end
return {'go', start - NOW, 0}
