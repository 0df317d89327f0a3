-- SWEEP: says whether this worker may sweep the shard now, and which conversations are overdue. States: none changes.
-- Conversations that have expired leave `alive` and the list of their user; those that were renewed stay, with the life they have now.
-- KEYS  1 sweeper  2 due  3 alive; writes sweeper, alive, conversations:…
-- ARGV  1 who asks  2 most conversations
-- Returns the ids of overdue conversations, or false when somebody else is the sweeper.
local LOCK_TTL, MOST_EXPIRED, SWEPT_WITHIN = 2000, 1000, 86400000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', LOCK_TTL)

local TAG = string.match(KEYS[3], '{.-}')
local CONV, LISTED = 'conv:' .. TAG .. ':', 'conversations:' .. TAG .. ':'

-- The list of the user's conversations lives as long as the longest of them, and a day.
local function keep_listed(id, life)
  local user = redis.call('HGET', CONV .. id, 'user')
  local listed = LISTED .. user
  redis.call('ZADD', listed, 'NX', now, id)
  redis.call('PEXPIRE', listed, math.max(redis.call('PTTL', listed), life + SWEPT_WITHIN))
end

for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, MOST_EXPIRED)) do
  local id, user = string.match(member, '^([^|]*)|?(.*)$')
  local life = redis.call('PTTL', CONV .. id)
  if life > 0 then
    redis.call('ZADD', KEYS[3], now + life, member)
    keep_listed(id, life)
  else
    redis.call('ZREM', KEYS[3], member)
    redis.call('ZREM', LISTED .. user, id)
  end
end
return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2])
