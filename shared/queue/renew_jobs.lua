-- Renews the claims a worker holds on jobs of one queue, and names those it has lost.
-- A claim that ran out while nobody took the job is taken again: the worker was slow, not replaced.
--
-- KEYS[1] queue
-- ARGV[1] lease in ms  ARGV[2], ARGV[3] job id and token; and so on
-- Returns the ids of the jobs that belong to somebody else, or are no longer queued.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local lease_end = string.format('%.0f', now + tonumber(ARGV[1]))
local lost = {}

for i = 2, #ARGV, 2 do
  local id, token = ARGV[i], ARGV[i + 1]
  local owner = redis.call('GET', 'arq:in-progress:' .. id)
  if (owner == token or not owner) and redis.call('ZSCORE', KEYS[1], id) then
    redis.call('SET', 'arq:in-progress:' .. id, token, 'PX', ARGV[1])
    redis.call('ZADD', KEYS[1], 'XX', lease_end, id)
  else
    lost[#lost + 1] = id
  end
end
return lost
