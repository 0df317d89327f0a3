-- Names the jobs of one queue that have been due for longest, and sets those of one function aside for a second, so that
-- another worker that looks meanwhile finds others. Whoever was named one takes it by BEGIN, or it is due again.
-- As many bell tokens go as jobs are named: the oldest of both belong together, unless tokens were lost before.
--
-- KEYS[1] queue: sorted set, job id -> due time in ms     KEYS[2] its bell
-- ARGV[1] most jobs  ARGV[2] how the ids begin that are set aside
-- Returns their ids.
local ASIDE = 1000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(due) do
  if string.sub(id, 1, #ARGV[2]) == ARGV[2] then
    redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', now + ASIDE), id)
  end
end
if #due > 0 then redis.call('LPOP', KEYS[2], #due) end
return due
