-- Appends to the outbox and keeps its last 1,000 messages.
local OUTBOX_LIMIT = 1000

local function post(sequence, message)
  redis.call('RPUSH', OUTBOX, sequence .. '|' .. NOW .. '|' .. message)
  local over = redis.call('LLEN', OUTBOX) - OUTBOX_LIMIT
  if over > 0 then
    local last = redis.call('LINDEX', OUTBOX, over - 1)
    redis.call('HSET', CONV, 'trimmed', string.match(last, '^%d+'))
    redis.call('LTRIM', OUTBOX, over, -1)
  end
end
