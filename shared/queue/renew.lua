-- RENEW: the owner is alive. States: running under this fence stays so, even when its lease was over but not taken.
-- KEYS  the conversation's (see _conversation.lua); writes conv, due, session (TTL)
-- ARGV  1 id  2 conversation_ttl  3 fence  4 lease in ms
-- Returns {running}, {refused} or {gone}.
-- include: _conversation.lua
local c = read()
if not c.state then return gone() end
if c.state ~= 'running' or c.fence ~= ARGV[3] then return {'refused'} end

local lease_end = NOW + tonumber(ARGV[4])
set('lease', lease_end)
redis.call('ZADD', DUE, lease_end, ID)
keep_session(lease_end)
store()
return {'running'}
