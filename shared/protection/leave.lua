-- LEAVE: an attempt has ended, or is not made any more. Only the first one for a ticket counts.
-- KEYS  as in _guards.lua
-- ARGV  2 verdict: ok, failed, neither (it says nothing about the API), unused (it was not made)  3 how it ended, in one
--       word; the others as in _guards.lua
-- Returns for each guard what its breaker became: open, closed or nothing.
-- include: _guards.lua
local VERDICT, WORD = ARGV[2], ARGV[3]

-- Counts an attempt and returns {good, bad} of about one window: the running half and the one before.
local function counted(g)
  local found = redis.call('HMGET', g.guard, 'at', 'ok', 'bad', 'ok_before', 'bad_before')
  local at, half = tonumber(found[1]), math.floor(g.window / 2)
  local ok, bad = tonumber(found[2] or 0), tonumber(found[3] or 0)
  local ok_before, bad_before = tonumber(found[4] or 0), tonumber(found[5] or 0)
  if not at or NOW - at >= 2 * half then
    at, ok, bad, ok_before, bad_before = NOW, 0, 0, 0, 0
  elseif NOW - at >= half then
    at, ok, bad, ok_before, bad_before = at + half, 0, 0, ok, bad
  end
  if VERDICT == 'ok' then ok = ok + 1 else bad = bad + 1 end
  redis.call('HSET', g.guard, 'at', at, 'ok', ok, 'bad', bad, 'ok_before', ok_before, 'bad_before', bad_before)
  return ok + ok_before, bad + bad_before
end

local function become(g, state)
  redis.call('HSET', g.guard, 'state', state, 'since', NOW)
  redis.call('HDEL', g.guard, 'probe', 'at', 'ok', 'bad', 'ok_before', 'bad_before')
  if state == 'open' then  -- who waits may end at once
    for _, ticket in ipairs(redis.call('ZRANGE', g.line, 0, -1)) do tell(ticket) end
    for _, ticket in ipairs(redis.call('ZRANGE', g.planned, 0, -1)) do tell(ticket) end
    redis.call('DEL', g.line)
  end
  return state
end

-- While the breaker is not closed only its probe counts: others began before.
local function judge(g)
  local found = redis.call('HMGET', g.guard, 'state', 'probe')
  local judged = VERDICT == 'ok' or VERDICT == 'failed'
  if (found[1] or 'closed') == 'closed' then
    if not judged then return '' end
    local ok, bad = counted(g)
    local opens = VERDICT == 'failed' and bad >= g.failures and bad >= g.share * (ok + bad)
    return opens and become(g, 'open') or ''
  end
  if found[1] ~= 'half' or found[2] ~= TICKET then return '' end
  if judged then return become(g, VERDICT == 'ok' and 'closed' or 'open') end
  redis.call('HDEL', g.guard, 'probe')
  return ''
end

local became = {}
for number, g in ipairs(GUARDS) do
  local held = let_go(g)
  redis.call('ZREM', g.planned, TICKET)
  became[number] = ''
  if held and VERDICT == 'failed' then redis.call('HSET', g.guard, 'last', WORD, 'last_at', NOW) end
  if held and g.failures > 0 then became[number] = judge(g) end
  if VERDICT == 'unused' then redis.call('ZREM', g.starts, TICKET) end
  serve(g)
  keep(g)
end
return became
