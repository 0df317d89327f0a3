-- READ: messages after a cursor. States: none changes; writes nothing.
-- KEYS  1 conv  2 outbox
-- ARGV  1 cursor (a sequence)  2 most messages
-- Returns {status, last sequence trimmed, messages}, or {} when the conversation is gone.
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return {} end

local function sequence(place)
  return tonumber(string.match(redis.call('LINDEX', KEYS[2], place), '^%d+'))
end

-- the first place whose sequence is beyond the cursor: sequences rise, with holes
local low, high = 0, redis.call('LLEN', KEYS[2])
while low < high do
  local middle = math.floor((low + high) / 2)
  if sequence(middle) > tonumber(ARGV[1]) then high = middle else low = middle + 1 end
end
local trimmed = tonumber(redis.call('HGET', KEYS[1], 'trimmed') or 0)
return {status, trimmed, redis.call('LRANGE', KEYS[2], low, low + ARGV[2] - 1)}
