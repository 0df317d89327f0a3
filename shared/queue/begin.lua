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

for _, name in ipairs({'bot', 'user', 'channel', 'profile', 'seal'}) do FIELDS[#FIELDS + 1] = name end

-- What may be handed out: the writes that a dead owner left, else the work that waits, up to `limit` events.
local function waiting(limit)
  local writes = redis.call('LRANGE', WRITES, 0, -1)
  if #writes > 0 then return writes, {0, false, {}} end
  return writes, next_work(limit)
end

local function answer(writes, work)
  local c = read()
  own(fence, lease, c.batches or 1, #work[3])
  store()
  return {'running', c.bot, c.user, c.channel, c.profile, c.status, tonumber(c.turn or 0), tonumber(c.tries or 0),
    tonumber(c.asked or 0), NOW, redis.call('HGETALL', SESSION), redis.call('HGETALL', CONTEXT), writes, c.seal or '',
    work[1], work[2], work[3]}
end

if ARGV[7] == '1' and redis.call('ZREM', DIALOG_QUEUE, job) == 1 then redis.call('DEL', 'arq:job:' .. job) end
local c = read()
if not c.state then return gone() end
if c.state == 'running' then
  if c.fence == fence then return answer(waiting(tonumber(c.handed))) end
  if tonumber(c.lease) > NOW then return {'busy'} end
elseif c.state ~= 'queued' then
  return {c.state}
end

local tries = (tonumber(c.tries) or 0) + 1
local writes, work = waiting(tries > 1 and 1 or most)
if #writes == 0 and not work[2] and #work[3] == 0 then
  to_idle()
  store()
  return {'idle'}
end
set('tries', tries)
set('job', job)
unset('batches')
return answer(writes, work)
