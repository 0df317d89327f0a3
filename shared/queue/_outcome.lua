-- Stores the outcome of the awaited call and queues the conversation that waited for it.
local function outcome(body)
  local sequence = next_sequence()
  redis.call('SET', RESULT, table.concat({'outcome', sequence, NOW, 0, 0, body}, '|'), 'PX', TTL)
  unset('call', 'call_deadline', 'started')
  redis.call('DEL', EXTRA)
  to_queued()
  keep()
  store()
end
