-- What ENTER and LEAVE share. A guard protects one host, or one integration of a bot; a call passes its guards in their
-- order. A ticket (`<worker>:<random>`) stands for one attempt. All keys are in one slot; each expires.
--
-- guard    hash  name, limits (for people), state (closed when unset, open, half), since (of this state), probe (ticket
--                that decides while half), at, ok, bad (attempts of the running half of the window and since when),
--                ok_before, bad_before (of the half before), last, last_at (how the last failure ended, and when), per
--                (the longest time of a rate), looked (when it was last seen to whose workers are dead)
-- permits  zset  ticket -> when it comes free by itself     line  zset  ticket -> deadline: who has least time is first
-- starts   zset  ticket -> when its attempt began, within the time of the rate
-- planned  zset  ticket -> when its rate has a place; it holds no permit meanwhile and stands in no line
--
-- KEYS  1 guards (zset: guard -> last used)  2 what `told:<worker>` begins with  3 what `living:<worker>` begins with
--       (string: when it last said so)  then, for each guard: guard, permits, line, starts, planned
-- ARGV  1 ticket  2 and 3 the script's own  then, for each guard: its name in `guards`, its name and its limits for
--       people, concurrency (0: none), attempts and time of the rate (0: none), failures, share, window and open time
--       of the breaker (0: none). Times in ms.
local KEEP, GRACE, OFFER, TELL = 86400000, 2000, 2000, 60000
local LONGEST_WAIT, MOST_TOLD, DEAD_AFTER, LOOK_EVERY = 5000, 10000, 5000, 1000
local TICKET = ARGV[1]

local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)

local GUARDS = {}
for i = 1, (#KEYS - 3) / 5 do
  local k, a = 3 + (i - 1) * 5, 3 + (i - 1) * 10
  GUARDS[i] = {
    guard = KEYS[k + 1], permits = KEYS[k + 2], line = KEYS[k + 3], starts = KEYS[k + 4], planned = KEYS[k + 5],
    id = ARGV[a + 1], name = ARGV[a + 2], limits = ARGV[a + 3], concurrency = tonumber(ARGV[a + 4]),
    count = tonumber(ARGV[a + 5]), per = tonumber(ARGV[a + 6]), failures = tonumber(ARGV[a + 7]),
    share = tonumber(ARGV[a + 8]), window = tonumber(ARGV[a + 9]), open = tonumber(ARGV[a + 10]),
  }
end

local function keep(g)
  redis.call('PEXPIRE', g.guard, KEEP)
  for _, key in ipairs({g.permits, g.line, g.starts, g.planned}) do redis.call('PEXPIRE', key, KEEP) end
end

local function worker_of(ticket) return string.match(ticket, '^[^:]*') end

-- Says to a ticket's worker that it should ask again.
local function tell(ticket)
  local told = KEYS[2] .. worker_of(ticket)
  if redis.call('RPUSH', told, ticket) > MOST_TOLD then redis.call('LTRIM', told, -MOST_TOLD, -1) end
  redis.call('PEXPIRE', told, TELL)
end

-- Finds workers that are dead: those of permits whose time is over, since who lives leaves sooner and takes what it is
-- offered; and, when somebody waits for a place, those that have not said for a while that they live.
local function dead_workers(g)
  local dead, known = {}, {[worker_of(TICKET)] = true}
  for _, ticket in ipairs(redis.call('ZRANGEBYSCORE', g.permits, '-inf', NOW)) do dead[worker_of(ticket)] = true end
  local full = g.concurrency > 0 and redis.call('ZCARD', g.permits) >= g.concurrency
  if not full or redis.call('EXISTS', g.line) == 0 then return dead end
  if NOW - tonumber(redis.call('HGET', g.guard, 'looked') or 0) < LOOK_EVERY then return dead end
  redis.call('HSET', g.guard, 'looked', NOW)
  for _, ticket in ipairs(redis.call('ZRANGE', g.permits, 0, -1)) do
    local worker = worker_of(ticket)
    if not known[worker] then
      known[worker] = true
      if NOW - tonumber(redis.call('GET', KEYS[3] .. worker) or 0) > DEAD_AFTER then dead[worker] = true end
    end
  end
  return dead
end

-- Takes away what dead workers hold, and what they have in line: it would only hold places up. One that lives after
-- all asks again.
local function bury(g)
  local dead = dead_workers(g)
  redis.call('ZREMRANGEBYSCORE', g.permits, '-inf', NOW)
  if not next(dead) then return end
  for _, key in ipairs({g.permits, g.line}) do
    for _, ticket in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      if ticket ~= TICKET and dead[worker_of(ticket)] then redis.call('ZREM', key, ticket) end
    end
  end
end

-- Offers free places to those in line. An offer is a permit that ends soon, unless its ticket asks: its worker may be
-- dead. Whoever is in line is therefore never overtaken.
local function serve(g)
  bury(g)
  redis.call('ZREMRANGEBYSCORE', g.line, '-inf', NOW)
  while g.concurrency > 0 and redis.call('ZCARD', g.permits) < g.concurrency do
    local first = redis.call('ZRANGE', g.line, 0, 0)[1]
    if not first then return end
    redis.call('ZREM', g.line, first)
    redis.call('ZADD', g.permits, NOW + OFFER, first)
    if first ~= TICKET then tell(first) end
  end
end

-- Takes the ticket out of everything but the rate: what began has begun. Tells whether it held a permit.
local function let_go(g)
  local held = redis.call('ZREM', g.permits, TICKET) == 1
  redis.call('ZREM', g.line, TICKET)
  return held
end
