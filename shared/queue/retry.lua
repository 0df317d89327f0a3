-- RETRY: puts a dead letter back at the end of its conversation's inbox, as an event accepted now, and removes it.
-- States: idle → queued; all others append. The message the consumer sent is in the outbox already and not repeated.
-- KEYS  the conversation's (see _conversation.lua); writes conv, inbox, session (TTL), seen, dead, due, dialog queue
--       and bell, arq:job:…
-- ARGV  1 id  2 conversation_ttl  3 entry of the stream  4 most events in the inbox  5 most bytes
-- Returns {retried, sequence} (a repeat, for a day, alike), {missing, closed, full or outcome} (nobody awaits the
--   outcome of a call that was given up), or {gone}.
-- include: _conversation.lua
-- include: _jobs.lua
-- include: _inbox.lua
local SEEN_LIMIT, SEEN_TTL, LATE_AFTER = 2000, 86400000, 86400000
local entry, retry_id = ARGV[3], 'retry:' .. ARGV[3]

local c = read()
if not c.state then return gone() end

local found = redis.call('XRANGE', DEAD, entry, entry)[1]
local letter = {}
if found then
  for i = 1, #found[2], 2 do letter[found[2][i]] = found[2][i + 1] end
end
if letter.conversation ~= ID then
  local before = redis.call('ZSCORE', SEEN, retry_id)
  if before then return {'retried', tonumber(before)} end
  return {'missing'}
end
if letter.kind == 'outcome' then return {'outcome'} end
if c.status == 'closed' then return {'closed'} end
if inbox_is_full(ARGV[4], ARGV[5], letter.body) then return {'full'} end

local sequence = next_sequence()
redis.call('XDEL', DEAD, entry)
redis.call('ZADD', SEEN, sequence, retry_id)
redis.call('ZREMRANGEBYRANK', SEEN, 0, -SEEN_LIMIT - 1)
redis.call('PEXPIRE', SEEN, SEEN_TTL)

-- from here on as INGEST does; a form's message may have become too late meanwhile
local new_session, flags = 0, 0
if (tonumber(c.session_until) or 0) <= NOW then new_session = 1 end
set('session_until', NOW + tonumber(c.session_ms))
if new_session == 0 then keep_session(0) end
if letter.kind == 'web_view' and NOW - tonumber(c.said or c.created) > LATE_AFTER then flags = 1 end
if c.state ~= 'idle' then flags = flags + 2 end
redis.call('RPUSH', INBOX, table.concat({letter.kind, sequence, NOW, new_session, flags, letter.body}, '|'))
if c.state == 'idle' then to_queued() end
keep(INBOX)
store()
return {'retried', sequence}
