-- ENTER: an attempt is about to be made; may it? Asked again by whoever was told to wait. A repeat is answered alike.
-- A ticket goes when its rates and its places have room in the same moment. Until its rate has, it is planned and holds
-- nothing; then it takes its places, or stands in line. While it stood there others may have used its moment: moments
-- are nobody's own, so that none is wasted, and it is planned again.
-- KEYS  as in _guards.lua
-- ARGV  2 time left of the call  3 unused; the others as in _guards.lua
-- Returns {go, 0, 0}, {wait, when to ask again if not told before, guard}, {planned, when its rate has a place, guard},
--   {open, how long the breaker stays open at least, guard}, {late, when its rate has a place, guard}: times in ms;
--   after `open` and `late` nothing is held any more.
-- include: _guards.lua
local DEADLINE = NOW + tonumber(ARGV[2])
local FORGOTTEN, ON_TIME = 60000, 50

local function refuse(word, ms, number)
  for _, g in ipairs(GUARDS) do
    let_go(g)
    redis.call('ZREM', g.starts, TICKET)
    redis.call('ZREM', g.planned, TICKET)
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

-- When the rate has a place after all that have begun or are planned: every attempt has its own, in order.
local function next_start(g)
  local longest = math.max(g.per, tonumber(redis.call('HGET', g.guard, 'per') or 0))  -- of all bots that call the host
  redis.call('HSET', g.guard, 'per', longest)
  redis.call('ZREMRANGEBYSCORE', g.starts, '-inf', NOW - longest)
  redis.call('ZREMRANGEBYSCORE', g.planned, '-inf', NOW - FORGOTTEN)  -- their workers are dead
  local later = redis.call('ZCOUNT', g.planned, '(' .. NOW, '+inf')
  local from, nth = g.planned, g.count - 1
  if later < g.count then from, nth = g.starts, g.count - 1 - later end
  local found = redis.call('ZREVRANGE', from, nth, nth, 'WITHSCORES')
  return found[2] and math.max(NOW, tonumber(found[2]) + g.per) or NOW
end

-- Gives back what is held and comes again when the rate has a place.
local function plan(start, number)
  if start >= DEADLINE then return refuse('late', start - NOW, number) end
  for _, g in ipairs(GUARDS) do
    let_go(g)
    if g.count > 0 then redis.call('ZADD', g.planned, start, TICKET) end
    serve(g)
    keep(g)
  end
  return {'planned', start - NOW, number}
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

-- Its rates: when each has a place. One that stands in line, or was offered a place, has had its moment already.
local came, begun = false, false
for _, g in ipairs(GUARDS) do
  came = came or redis.call('ZSCORE', g.line, TICKET) or redis.call('ZSCORE', g.permits, TICKET)
  begun = begun or redis.call('ZSCORE', g.starts, TICKET)
end
local start, slowest, moment = NOW, 0, NOW
for number, g in ipairs(GUARDS) do
  if g.count > 0 and not came and not begun then
    local own = tonumber(redis.call('ZSCORE', g.planned, TICKET) or '')
    if own and NOW - own <= ON_TIME then moment = own end
    local possible = own or next_start(g)
    if possible > start then start, slowest = possible, number end
  end
end
if start > NOW or NOW >= DEADLINE then return plan(start, slowest) end

-- Its places.
for number, g in ipairs(GUARDS) do
  if g.concurrency > 0 and not redis.call('ZSCORE', g.permits, TICKET) then
    redis.call('ZADD', g.line, DEADLINE, TICKET)
    serve(g)
  end
  if g.concurrency > 0 and not redis.call('ZSCORE', g.permits, TICKET) then
    for _, other in ipairs(GUARDS) do
      redis.call('ZREM', other.planned, TICKET)
      keep(other)
    end
    local soonest = redis.call('ZRANGE', g.permits, 0, 0, 'WITHSCORES')
    local free = soonest[2] and tonumber(soonest[2]) - NOW or LONGEST_WAIT
    return {'wait', math.max(1, math.min(free, LONGEST_WAIT)), number}
  end
  redis.call('ZADD', g.permits, DEADLINE + GRACE, TICKET)
end

-- Its rates once more, by what has begun in fact.
local again, crowded = moment, 0
for number, g in ipairs(GUARDS) do
  if g.count > 0 and not begun then
    local nth = redis.call('ZREVRANGE', g.starts, g.count - 1, g.count - 1, 'WITHSCORES')
    local free = nth[2] and tonumber(nth[2]) + g.per or again
    if free > again then again, crowded = free, number end
  end
end
if again > NOW then
  for number, g in ipairs(GUARDS) do
    redis.call('ZREM', g.planned, TICKET)
    -- Many that were held up together do not come back together.
    if g.count > 0 and redis.call('ZCOUNT', g.planned, '(' .. NOW, again) >= 2 * g.count then
      local last = next_start(g)
      if last > again then again, crowded = last, number end
    end
  end
  return plan(again, crowded)
end
for _, g in ipairs(GUARDS) do
  if g.count > 0 and not begun then redis.call('ZADD', g.starts, again, TICKET) end
  redis.call('ZREM', g.planned, TICKET)
  if g.failures > 0 and redis.call('HGET', g.guard, 'state') == 'half' then
    redis.call('HSET', g.guard, 'probe', TICKET)
  end
  keep(g)
end
return {'go', 0, 0}
