-- The whole turn of the baseline in one script: matches three patterns, counts, keeps both messages.
-- KEYS 1 conversation, 2 outbox   ARGV 1 text, 2 message id, 3 echo, 4 time to live in ms
-- Returns {sequence of the message, sequence of the reply, time in ms, reply}; {} when there is no such conversation.
local PATTERNS = {'^add .*', '^count .*', '.* more .*'}

if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = 'Sorry?'
for _, pattern in ipairs(PATTERNS) do
  if string.find(ARGV[1], pattern) then
    reply = 'count ' .. redis.call('HINCRBY', KEYS[1], 'n', 1)
    break
  end
end
local sequence = redis.call('HINCRBY', KEYS[1], 'seq', 2)
local entry = '"from":"bot","type":"text","text":' .. cjson.encode(reply) .. '}'
redis.call('RPUSH', KEYS[2], (sequence - 1) .. '|' .. now .. '|' .. ARGV[3], sequence .. '|' .. now .. '|{' .. entry)
redis.call('LTRIM', KEYS[2], -1000, -1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {sequence - 1, sequence, now, '{' .. entry}
