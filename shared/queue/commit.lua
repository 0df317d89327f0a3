-- COMMIT: stores everything one turn changes, if the fence still owns the conversation.
-- States: running → waiting (a call), running (writes to apply, or more to do, under the next fence), queued (more to
-- do after `most` batches), idle.
-- KEYS  the conversation's (see _conversation.lua), 17 call (when there is one)
--       writes conv, session, inbox, result, outbox, trace, context, writes, call, dead, due, both queues, arq:job:…,
--       receipt:…
-- ARGV  1 id  2 conversation_ttl  3 fence  4 next fence  5 lease  6 most events  7 most batches
--       8 events consumed  9 result consumed (0, 1)  10 asks (0, 1)  11 status or ''  12 session length or 0
--       13 turns  14 trace or ''  15 its TTL
--       16 call id or ''  17 integration  18 bot version  19 values  20 queue allowance  21 budget
--       22 … seven lists, each a count and its entries: session (field, value), session fields to remove, replies,
--       writes, context (field, value, expires_at; -1 deletes), dead (reason, kind, body, note), receipts (id, fact)
-- Returns {state, asked, turn, writes, session missing, result, events}, {refused} or {gone}.
-- include: _conversation.lua
-- include: _jobs.lua
-- include: _owner.lua
-- include: _outbox.lua
-- include: _receipts.lua
local TRACE_LIMIT, DEAD_LIMIT, DEAD_TTL = 100, 10000, 2592000000
local next_fence, lease, most_events, most_batches = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local status, session_ms, trace, call = ARGV[11], tonumber(ARGV[12]), ARGV[14], ARGV[16]

local c = read()
if not c.state then return gone() end
outbox_ends_with(c.posted)
if c.state ~= 'running' or c.fence ~= ARGV[3] then return {'refused'} end

local at = 22
-- The places in ARGV where the entries of the next list begin.
local function entries(width)
  local first, last = at + 1, at + tonumber(ARGV[at]) * width
  at = last + 1
  local place = first - width
  return function()
    place = place + width
    if place <= last then return place end
  end
end

local function bury(reason, kind, body, note)
  redis.call('XADD', DEAD, 'MAXLEN', '~', DEAD_LIMIT, '*', 'reason', reason, 'kind', kind, 'conversation', ID,
    'bot', redis.call('HGET', CONV, 'bot'), 'user', redis.call('HGET', CONV, 'user'), 'body', body, 'note', note)
  redis.call('XTRIM', DEAD, 'MINID', '~', NOW - DEAD_TTL)
  redis.call('PEXPIRE', DEAD, DEAD_TTL)
end

-- what was handled
if ARGV[8] ~= '0' then redis.call('LTRIM', INBOX, ARGV[8], -1) end
if ARGV[9] == '1' then redis.call('DEL', RESULT) end
unset('tries')
local turn = (tonumber(c.turn) or 0) + tonumber(ARGV[13])
set('turn', turn)

-- the session; a new length counts from the same moment as the old one
if session_ms > 0 then
  session_ms = math.min(session_ms, TTL)
  local began = (tonumber(c.session_until) or NOW) - tonumber(c.session_ms)
  set('session_ms', session_ms)
  set('session_until', began + session_ms)
end
local fields = {}
for i in entries(2) do
  fields[#fields + 1] = ARGV[i]
  fields[#fields + 1] = ARGV[i + 1]
end
-- where every field is new the whole may be
local new_session = #fields > 0 and redis.call('HSET', SESSION, unpack(fields)) * 2 == #fields
for i in entries(1) do redis.call('HDEL', SESSION, ARGV[i]) end

-- replies
for i in entries(1) do post(next_sequence(), ARGV[i]) end
if ARGV[10] == '1' then set('asked', c.seq) end

-- writes to other slots, stamped so that applying them twice or late does no harm
local index = 0
for i in entries(1) do
  index = index + 1
  redis.call('RPUSH', WRITES, table.concat({NOW, ID, turn, index, ARGV[i]}, '|'))
end

-- the conversation's own context data live as long as their longest field
for i in entries(3) do
  local expires = tonumber(ARGV[i + 2])
  if expires < 0 then
    redis.call('HDEL', CONTEXT, ARGV[i])
  else
    redis.call('HSET', CONTEXT, ARGV[i], expires .. '|' .. ARGV[i + 1])
    if expires == 0 then set('context_keeps', 1) end
    local ttl = math.max(redis.call('PTTL', CONTEXT), expires == 0 and TTL or expires - NOW, 1)
    redis.call('PEXPIRE', CONTEXT, ttl)
  end
end

for i in entries(4) do bury(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
for i in entries(2) do note_receipt(ARGV[i], ARGV[i + 1]) end

if trace ~= '' then
  if redis.call('RPUSH', TRACE, turn .. '|' .. trace) > TRACE_LIMIT then redis.call('LTRIM', TRACE, -TRACE_LIMIT, -1) end
  redis.call('PEXPIRE', TRACE, ARGV[15])
end

if status ~= '' then set('status', status) end
if status == 'closed' then
  for _, event in ipairs(redis.call('LRANGE', INBOX, 0, -1)) do
    local kind, body = string.match(event, '^([^|]*)|%d+|%d+|%d|%d|(.*)$')
    bury('closed', kind, body, '')
    local receipt = kind == 'web_view' and receipt_in(body)
    if receipt then note_receipt(receipt, 'ended') end
  end
  redis.call('DEL', INBOX)
end

if call ~= '' then
  local deadline = NOW + tonumber(ARGV[20]) + tonumber(ARGV[21])
  redis.call('HSET', EXTRA, 'integration', ARGV[17], 'version', ARGV[18], 'values', ARGV[19], 'budget', ARGV[21],
    'attempts', 0)
  redis.call('PEXPIREAT', EXTRA, deadline + GRACE)
  set('call', call)
  set('call_deadline', deadline)
  unset('started')
end

if index > 0 then keep(WRITES, new_outbox) else keep(new_outbox) end
keep_session(NOW, new_session)
publish()

if index > 0 then
  local writes = redis.call('LRANGE', WRITES, 0, -1)
  own(next_fence, lease, c.batches, 0)
  return handed_over('writes', writes, {0, false, {}})
end
return hand_over(next_fence, lease, most_events, most_batches)
