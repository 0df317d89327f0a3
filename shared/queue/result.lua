-- RESULT: what became of the awaited call. States: waiting → queued; not awaited (any more): dropped.
-- KEYS  the conversation's (see _conversation.lua), 17 call
--       writes conv, result, call, due, dialog queue and bell, arq:job:…
-- ARGV  1 id  2 conversation_ttl  3 call id  4 outcome
-- Returns {stored}, {dropped} or {gone}.
-- include: _conversation.lua
-- include: _jobs.lua
-- include: _outcome.lua
local c = read()
if not c.state then return gone() end
if c.state ~= 'waiting' or c.call ~= ARGV[3] then return {'dropped'} end
outcome(ARGV[4])
return {'stored'}
