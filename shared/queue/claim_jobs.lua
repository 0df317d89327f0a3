-- Claims due jobs of one queue for one worker, under a token that nobody else knows.
-- A claimed job stays in the queue with its score moved to the end of the lease, so that the next scan does not meet
-- it and a dead worker's jobs come due by themselves.
--
-- KEYS[1] queue: sorted set, job id -> due time in ms     KEYS[2] its bell: list, one token a waiting job
-- ARGV[1] token  ARGV[2] lease in ms  ARGV[3] most jobs to claim  ARGV[4] bell tokens the caller has taken already
-- Returns {job id, its score before, ...}. Keys of a job are built from its id, which carries the queue's hash tag.
local PAGES, SMALLEST_PAGE = 20, 100

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit = tonumber(ARGV[3])
local page = math.max(limit, SMALLEST_PAGE)
local lease_end = string.format('%.0f', now + tonumber(ARGV[2]))
local claimed, count, passed = {}, 0, 0

for _ = 1, PAGES do
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', passed, page)
  for i = 1, #due, 2 do
    if count == limit then break end
    -- a stock arq worker leaves the score of a job it runs where it was: pass by
    if redis.call('SET', 'arq:in-progress:' .. due[i], ARGV[1], 'NX', 'PX', ARGV[2]) then
      redis.call('ZADD', KEYS[1], 'XX', lease_end, due[i])
      claimed[#claimed + 1] = due[i]
      claimed[#claimed + 1] = due[i + 1]
      count = count + 1
    else
      passed = passed + 1
    end
  end
  if count == limit or #due < 2 * page then break end
end

local tokens = count - tonumber(ARGV[4])
if tokens > 0 then redis.call('LPOP', KEYS[2], tokens) end
return claimed
