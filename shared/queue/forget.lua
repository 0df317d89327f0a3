-- FORGET: removes a conversation with all it has. States: any → none, so that nobody who still has its fence can write.
-- KEYS  the conversation's (see _conversation.lua), 17 alive  18 conversations of its user  19 receipts  20 taken
--       writes all of them, call:…, receipt:…, posted:…, used:…, both queues and bells, arq:job:…
-- ARGV  1 id  2 conversation_ttl
-- Returns {forgotten or gone, writes that may still be carried out elsewhere, keys that were there}.
-- include: _conversation.lua
-- include: _jobs.lua
local OWN, RECEIPTS = 9, KEYS[19]

local removed = {}
local function remove(key)
  if redis.call('DEL', key) == 1 then removed[#removed + 1] = key end
end

local c = read()
local writes = redis.call('LRANGE', WRITES, 0, -1)
for _, listed in ipairs(redis.call('LRANGE', RECEIPTS, 0, -1)) do
  local receipt, stamp, used = string.match(listed, '^([^|]*)|?([^|]*)|?(.*)$')
  remove('receipt:' .. TAG .. ':' .. receipt)
  remove('posted:' .. TAG .. ':' .. ID .. ':' .. stamp)
  remove('used:' .. TAG .. ':' .. ID .. ':' .. used)
end
if c.call then remove('call:' .. TAG .. ':' .. c.call) end
if c.job then
  redis.call('ZREM', DIALOG_QUEUE, c.job)
  redis.call('ZREM', CALL_QUEUE, c.job)
  remove('arq:job:' .. c.job)
end
for _, bell in ipairs({DIALOG_BELL, CALL_BELL}) do
  for _, job in ipairs(redis.call('LRANGE', bell, 0, -1)) do
    if string.find(job, ID, 1, true) then redis.call('LREM', bell, 0, job) end
  end
end
for place = 1, OWN do remove(KEYS[place]) end
remove(RECEIPTS)
remove(KEYS[20])
redis.call('ZREM', DUE, ID)
redis.call('ZREM', EXTRA, ID, ID .. '|' .. string.match(KEYS[18], '}:(.*)$'))
redis.call('ZREM', KEYS[18], ID)
redis.call('PUBLISH', NOTIFY, ID)  -- who listens finds it gone
return {c.state and 'forgotten' or 'gone', writes, removed}
