-- RECOVER: sees to one overdue conversation (SWEEP found it; checked again here).
-- States: idle leaves `due`; queued and its job gone → a new job; running and its lease over → queued, new job;
-- waiting: 5 s over the call's deadline → the outcome `lost`, queued; before that, not started and its job gone →
-- enqueued again.
-- A job that is still in its queue with its payload is only late: the conversation is looked at again in 4 s.
-- KEYS  the conversation's (see _conversation.lua); the key of the awaited call is built with its tag
--       writes conv, result, call, due, both queues, arq:job:…
-- ARGV  1 id  2 conversation_ttl  3, 4 the outcome `lost`, before and after the call's id
-- Returns {recovered}, {waits} or {gone}.
-- include: _conversation.lua
-- include: _jobs.lua
-- include: _outcome.lua
local LOST_AFTER = 5000

local function later(at)
  redis.call('ZADD', DUE, at, ID)
  return {'waits'}
end

local c = read()
if not c.state then return gone() end
local due = tonumber(redis.call('ZSCORE', DUE, ID) or 0)
if due > NOW then return {'waits'} end

if c.state == 'idle' then
  to_idle()
  store()
  return {'waits'}
elseif c.state == 'queued' then
  if job_is_there(DIALOG_QUEUE, c.job) then return later(NOW + OVERDUE) end
  if c.job then redis.call('ZREM', DIALOG_QUEUE, c.job) end
  to_queued()
elseif c.state == 'running' then
  if tonumber(c.lease) > NOW then return later(c.lease) end
  to_queued()
elseif tonumber(c.call_deadline) + LOST_AFTER <= NOW then
  if c.job then redis.call('ZREM', CALL_QUEUE, c.job) end
  EXTRA = 'call:' .. TAG .. ':' .. c.call
  outcome(ARGV[3] .. c.call .. ARGV[4])
elseif c.started then
  return later(tonumber(c.call_deadline) + LOST_AFTER)
else
  if job_is_there(CALL_QUEUE, c.job) then return later(NOW + OVERDUE) end
  if c.job then redis.call('ZREM', CALL_QUEUE, c.job) end
  to_waiting(c.call)
end
store()
return {'recovered'}
