-- Renews the claims a worker holds on jobs of one queue, and names those it has lost.
-- A claim that ran out while nobody took the job is taken again: the worker was slow, not replaced. A job that runs
-- under its claim and is in no queue is put back: the queue was lost, and the job ends here as if it had not been.
--
-- KEYS[1] queue
-- ARGV[1] lease in ms  ARGV[2], ARGV[3] job id and token; and so on
-- Returns the ids of the jobs that belong to somebody else, or have ended.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local lease_end = string.format('%.0f', now + tonumber(ARGV[1]))
local lost = {}

for i = 2, #ARGV, 2 do
  local id, token = ARGV[i], ARGV[i + 1]
  local owner = redis.call('GET', 'arq:in-progress:' .. id)
  local queued = redis.call('ZSCORE', KEYS[1], id)
  if (queued and not owner) or (owner == token and (queued or redis.call('EXISTS', 'arq:job:' .. id) == 1)) then
    redis.call('SET', 'arq:in-progress:' .. id, token, 'PX', ARGV[1])
    redis.call('ZADD', KEYS[1], lease_end, id)
  else
    lost[#lost + 1] = id
  end
end
return lost
