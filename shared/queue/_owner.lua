-- What an owner is given, and what becomes of the conversation when it has committed or applied its writes.

-- {is the session missing, result or false, up to `limit` events}: a result is served before the inbox.
local function next_work(limit)
  local missing = redis.call('EXISTS', SESSION) == 0 and 1 or 0
  local result = redis.call('GET', RESULT)
  if result or limit == 0 then return {missing, result, {}} end
  return {missing, false, redis.call('LRANGE', INBOX, 0, limit - 1)}
end

local function has_work()
  return redis.call('EXISTS', RESULT, INBOX) > 0
end

local function own(fence, lease, batches, handed)
  local lease_end = NOW + lease
  set('state', 'running')
  set('fence', fence)
  set('lease', lease_end)
  set('batches', batches)
  set('handed', handed)
  redis.call('ZADD', DUE, lease_end, ID)
  keep_session(lease_end)  -- the owner commits what it changes: the rest must still be there
end

-- Stores, and answers {state, asked, turn, writes, session missing, result, events}.
local function handed_over(state, writes, work)
  local c = read()
  store()
  return {state, tonumber(c.asked) or 0, tonumber(c.turn) or 0, writes, work[1], work[2], work[3]}
end

-- A call → waiting; more to do → running with the next fence, or queued after `most` batches; else → idle.
local function hand_over(fence, lease, batch, most)
  local c = read()
  local nothing = {0, false, {}}
  if c.call then
    to_waiting(c.call)
    return handed_over('waiting', {}, nothing)
  end
  if not has_work() then
    to_idle()
    return handed_over('idle', {}, nothing)
  end
  local batches = tonumber(c.batches) or 1
  if batches >= most then
    to_queued()
    return handed_over('queued', {}, nothing)
  end
  local work = next_work(batch)
  own(fence, lease, batches + 1, #work[3])
  set('tries', 1)  -- the first try of these events, as if by BEGIN
  return handed_over('running', {}, work)
end
