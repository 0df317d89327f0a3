-- READ: messages after a cursor. States: none changes.
-- A cursor beyond the last sequence is that of a reader who saw what the server has lost since (docs/durability.md):
-- sequences go on after it, so that the reader hears what comes next.
-- KEYS  1 conv  2 outbox; writes conv (then)
-- ARGV  1 cursor (a sequence)  2 most messages
-- Returns {status, last sequence trimmed, messages}, or {} when the conversation is gone.
local MOST_LOST = 1000
local found = redis.call('HMGET', KEYS[1], 'status', 'trimmed', 'seq')
local status, trimmed, after = found[1], tonumber(found[2] or 0), tonumber(ARGV[1])
if not status then return {} end
local ahead = after - tonumber(found[3] or 0)
if ahead > 0 and ahead <= MOST_LOST then redis.call('HSET', KEYS[1], 'seq', ARGV[1]) end

local function sequence(place)
  return tonumber(string.match(redis.call('LINDEX', KEYS[2], place), '^%d+'))
end

-- the first place whose sequence is beyond the cursor: sequences rise, with holes
local low, high = 0, redis.call('LLEN', KEYS[2])
while low < high do
  local middle = math.floor((low + high) / 2)
  if sequence(middle) > after then high = middle else low = middle + 1 end
end
return {status, trimmed, redis.call('LRANGE', KEYS[2], low, low + ARGV[2] - 1)}
