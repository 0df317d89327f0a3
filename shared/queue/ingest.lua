-- INGEST: accepts a consumer message or a Web View call. States: idle → queued; all others append.
-- KEYS  the conversation's (see _conversation.lua); of a Web View call also 17 posted  18 taken  19 receipt
--       20 receipts  21 used  22 origins
--       writes conv, inbox, outbox, session (TTL), seen or the last six, due, dialog queue and bell, arq:job:…
-- ARGV  1 id  2 conversation_ttl  3 kind (message, web_view)  4 message id, or what tells one call from another
--       5 event  6 echo (may be empty)  7 most events in the inbox  8 most bytes; of a Web View call also
--       9 most a minute  10 receipt  11 number of variables  12 till when it is authorized (0: always)
--       13 authorized once (0, 1)  14 by the checksum (0, 1)  15 its origin
-- Returns {outcome, sequence, at, late, receipt}: accepted, duplicate (as the first time), closed, full; of a Web View
--   call also expired, used, often (its `at`: in how many ms again); or {gone}.
-- include: _conversation.lua
-- include: _jobs.lua
-- include: _inbox.lua
-- include: _outbox.lua
local SEEN_LIMIT, SEEN_TTL, LATE_AFTER = 2000, 86400000, 86400000
local kind, message_id, body, echo = ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local web_view  -- what is done for such a call only; messages do not pay for it
if kind == 'web_view' then
-- include: _rate.lua
-- include: _web_view.lua
end

local c = read()
if not c.state then return gone() end
outbox_ends_with(c.posted)

local used, first
if web_view then
  if web_view.is_over() then return {'expired', 0, 0, 0, ''} end
  used = web_view.used()
  first = web_view.first_answer(used, message_id)
else
  local sequence = redis.call('ZSCORE', SEEN, message_id)
  first = sequence and {'duplicate', tonumber(sequence), 0, 0, ''}
end
if first then return first end
if c.status == 'closed' then return {'closed', 0, 0, 0, ''} end
if c.state ~= 'idle' and inbox_is_full(ARGV[7], ARGV[8], body) then return {'full', 0, 0, 0, ''} end
if web_view then
  local refused = web_view.refusal(used)
  if refused then return refused end
end

local sequence = next_sequence()
local late, new_session = 0, 0
if web_view then
  -- only a call with a message has an echo; without a consumer message the day counts from the beginning
  if echo ~= '' and NOW - tonumber(c.said or c.created) > LATE_AFTER then late = 1 end
  web_view.accepted(sequence, message_id, late, echo ~= '')
else
  redis.call('ZADD', SEEN, sequence, message_id)
  -- there are no more of them than sequences
  if sequence > SEEN_LIMIT then redis.call('ZREMRANGEBYRANK', SEEN, 0, -SEEN_LIMIT - 1) end
  redis.call('PEXPIRE', SEEN, math.min(SEEN_TTL, TTL))
  set('said', NOW)
end

if (tonumber(c.session_until) or 0) <= NOW then new_session = 1 end
set('session_until', NOW + tonumber(c.session_ms))
if new_session == 0 then keep_session(0) end  -- an ended session's data are not kept longer

local flags = late
local idle = c.state == 'idle'
if not idle then flags = flags + 2 end  -- busy: an earlier event is still being handled
redis.call('RPUSH', INBOX, table.concat({kind, sequence, NOW, new_session, flags, body}, '|'))
if echo ~= '' and late == 0 then post(sequence, echo) end
if idle then to_queued() end
keep(INBOX, new_outbox)
publish()
store()
return {'accepted', sequence, NOW, late, web_view and ARGV[10] or ''}
