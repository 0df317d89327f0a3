-- Stores the outcome of the awaited call and queues the conversation that waited for it.
local function outcome(body)
  local sequence = redis.call('HINCRBY', CONV, 'seq', 1)
  redis.call('SET', RESULT, table.concat({'outcome', sequence, NOW, 0, 0, body}, '|'), 'PX', TTL)
  redis.call('HDEL', CONV, 'call', 'call_deadline', 'started')
  redis.call('DEL', EXTRA)
  to_queued()
  keep()
end
