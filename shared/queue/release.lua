-- RELEASE: the owner has applied its writes (`applied`), or stops and gives the conversation back (`back`).
-- States: running → as after COMMIT (applied), queued with one try less (back).
-- KEYS  the conversation's (see _conversation.lua); writes conv, writes, due, both queues, arq:job:…
-- ARGV  1 id  2 conversation_ttl  3 fence  4 next fence  5 lease  6 most events  7 most batches  8 applied or back
-- Returns {state, asked, turn, writes, session missing, result, events}, {refused} or {gone}.
-- include: _conversation.lua
-- include: _jobs.lua
-- include: _owner.lua
local c = read()
if not c.state then return gone() end
if c.state ~= 'running' or c.fence ~= ARGV[3] then return {'refused'} end

if ARGV[8] == 'back' then
  set('tries', math.max(0, (tonumber(c.tries) or 0) - 1))
  to_queued()
  return handed_over('queued', {}, {0, false, {}})
end
redis.call('DEL', WRITES)
return hand_over(ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]))
