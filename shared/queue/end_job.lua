-- Ends one run of a job: finished (or failed) jobs leave the queue, others wait for their next run.
-- Nothing is touched unless the token still owns the job: a stale worker cannot delete a new owner's work.
--
-- KEYS[1] queue  KEYS[2] its bell
-- ARGV[1] job id  ARGV[2] token  ARGV[3] 'finished' or 'again'
-- ARGV[4] 'finished': ms to keep the claim (a cron job must not be enqueued twice); 'again': ms until the next run
-- ARGV[5] most tokens in the bell
-- Returns 1, or 0 when the job belongs to somebody else.
local id = ARGV[1]
local claim = 'arq:in-progress:' .. id
if redis.call('GET', claim) ~= ARGV[2] then return 0 end

if ARGV[3] == 'finished' then
  redis.call('ZREM', KEYS[1], id)
  redis.call('DEL', 'arq:job:' .. id, 'arq:retry:' .. id)
  if tonumber(ARGV[4]) > 0 then redis.call('PEXPIRE', claim, ARGV[4]) else redis.call('DEL', claim) end
  return 1
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('DEL', claim)
redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', now + tonumber(ARGV[4])), id)
if tonumber(ARGV[4]) == 0 then
  redis.call('RPUSH', KEYS[2], id)
  redis.call('LTRIM', KEYS[2], -tonumber(ARGV[5]), -1)
end
return 1
