-- BEGIN: gives the conversation to a worker. States: queued, or running with its lease over → running (→ idle when
-- there is nothing to do); running under the same fence: the same answer again; idle, waiting, running: refused.
-- KEYS  the conversation's (see _conversation.lua); writes conv, due, session (TTL), dialog queue, arq:job:…
-- ARGV  1 id  2 conversation_ttl  3 fence  4 lease in ms  5 most events  6 job  7 taken (0, 1)
-- A job that is taken leaves the queue here, whatever the answer: nothing is left to be ended. From then on the lease
-- is what keeps others out, and `due` what finds a conversation whose worker was lost.
-- Returns {running, bot, user, channel, profile, status, turn, tries, asked, now, session, context, writes, seal,
--   session missing, result, events}, or {busy | idle | waiting | gone}. Writes that a dead owner left come alone:
-- they are applied and released before anything else is handed out.
-- include: _conversation.lua
-- include: _jobs.lua
-- include: _owner.lua
local fence, lease, most, job = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

local function answer(handed)
  local writes = redis.call('LRANGE', WRITES, 0, -1)
  local work = {0, false, {}}
  if #writes == 0 then work = next_work(handed) end
  local c = read()
  own(fence, lease, c.batches or 1, #work[3])
  store()
  local who = redis.call('HMGET', CONV, 'bot', 'user', 'channel', 'profile', 'seal')
  return {'running', who[1], who[2], who[3], who[4], c.status, tonumber(c.turn or 0), tonumber(c.tries or 0),
    tonumber(c.asked or 0), NOW, redis.call('HGETALL', SESSION), redis.call('HGETALL', CONTEXT), writes, who[5] or '',
    work[1], work[2], work[3]}
end

if ARGV[7] == '1' and redis.call('ZREM', DIALOG_QUEUE, job) == 1 then redis.call('DEL', 'arq:job:' .. job) end
local c = read()
if not c.state then return gone() end
if c.state == 'running' then
  if c.fence == fence then return answer(tonumber(c.handed)) end
  if tonumber(c.lease) > NOW then return {'busy'} end
elseif c.state ~= 'queued' then
  return {c.state}
end

if not has_work() and redis.call('EXISTS', WRITES) == 0 then
  to_idle()
  store()
  return {'idle'}
end
local tries = (tonumber(c.tries) or 0) + 1
set('tries', tries)
set('job', job)
unset('batches')
return answer(tries > 1 and 1 or most)
