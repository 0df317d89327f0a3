-- What every script of one conversation begins with: its keys, the clock, and what is done alike everywhere.
-- All keys carry the shard's hash tag. ARGV[1] is the conversation's id, ARGV[2] conversation_ttl in ms.
--
-- conv     hash    bot, user, channel, profile, key (of the channel), created, status (open, transferred, closed),
--                  state (idle, queued, running, waiting), job and jobs (id of the current job; how many so far),
--                  seq (last sequence), posted (that of the newest message), trimmed (last sequence cut off the outbox), turn, asked (sequence when the last
--                  question was put), tries (BEGINs since the last COMMIT), fence, lease (its end), handed (events
--                  handed out), batches (of this owner), call, call_deadline, started (awaited call), session_ms,
--                  session_until (deadline), session_kept (what the session's life was last set by), kept (when the
--                  lives of all keys were last renewed), said (last consumer message), context_keeps (1: data without expiry),
--                  seal (its key, sealed with the installation's secret)
-- inbox    list    kind|sequence|at|new_session|flags|body         result  string  the same, kind `outcome`
-- outbox   list    sequence|at|JSON                                trace   list    turn|JSON
-- writes   list    time|conversation|turn|index|body               context hash    field -> expires_at|value
-- A time has 13 digits: exact as a number, and in `..` (which keeps 14).
local CONV, SESSION, INBOX, RESULT, OUTBOX = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local SEEN, TRACE, CONTEXT, WRITES, DUE = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local DIALOG_QUEUE, DIALOG_BELL, CALL_QUEUE, CALL_BELL = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
local DEAD, NOTIFY = KEYS[15], KEYS[16]
local EXTRA = KEYS[17]  -- the key of the call, or of the answer to a Web View call
local ID, TTL = ARGV[1], tonumber(ARGV[2])
local UNUSED_TTL, GRACE = 3600000, 60000

local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The fields that scripts decide by: read together, kept in a table, written together, since each call of the server
-- costs more than a field. Numbers that were read are text.
local FIELDS = {'state', 'status', 'fence', 'lease', 'handed', 'batches', 'tries', 'call', 'call_deadline', 'started',
  'session_ms', 'session_until', 'said', 'created', 'seq', 'posted', 'turn', 'asked', 'job', 'jobs', 'context_keeps', 'kept',
  'session_kept'}
local conversation, changed = nil, {}

-- The conversation's fields by name, nil where unset; the table knows what was `set`.
local function read()
  if not conversation then
    conversation = {}
    local values = redis.call('HMGET', CONV, unpack(FIELDS))
    for i, name in ipairs(FIELDS) do conversation[name] = values[i] or nil end
  end
  return conversation
end

local function set(name, value)
  read()[name] = value
  changed[name] = value
end

local function unset(...)
  for _, name in ipairs({...}) do
    if read()[name] then
      conversation[name] = nil
      changed[name] = false
    end
  end
end

-- Writes what was set and unset: every script that changes the conversation ends with it.
local function store()
  local values, names = {}, {}
  for name, value in pairs(changed) do
    if value then
      values[#values + 1] = name
      values[#values + 1] = value
    else
      names[#names + 1] = name
    end
  end
  if #values > 0 then redis.call('HSET', CONV, unpack(values)) end
  if #names > 0 then redis.call('HDEL', CONV, unpack(names)) end
  changed = {}
end

local function next_sequence()
  set('seq', (tonumber(read().seq) or 0) + 1)
  return conversation.seq
end

-- The conversation has expired: what is left of it goes, and nothing is written.
local function gone()
  redis.call('DEL', SESSION, INBOX, RESULT, OUTBOX, SEEN, TRACE, CONTEXT, WRITES)
  if EXTRA then redis.call('DEL', EXTRA) end
  redis.call('ZREM', DUE, ID)
  return {'gone'}
end

-- Renews what lives as long as the conversation: one hour until the consumer's first message, and after that when a
-- thousandth of its life has passed. Keys that the script may have made have to be named: they need one in any case.
local function keep(...)
  local c, ttl = read(), TTL
  local passed = NOW - (tonumber(c.kept) or 0)
  local renewed = {...}
  if not c.said then
    ttl = math.min(TTL, UNUSED_TTL)
    renewed = {CONV, INBOX, OUTBOX, RESULT, WRITES}
  elseif passed < 0 or passed * 1000 > TTL then
    renewed = {CONV, INBOX, OUTBOX, RESULT, WRITES}
    set('kept', NOW)
  end
  for _, key in ipairs(renewed) do redis.call('PEXPIRE', key, ttl) end
  if renewed[1] == CONV and c.context_keeps then redis.call('PEXPIRE', CONTEXT, ttl) end
end

-- Sets how long the session's data stay: its deadline, at least that of the awaited call, and a minute. `made` says that
-- they may be new.
local function keep_session(at_least, made)
  local c = read()
  local till = math.max(at_least, tonumber(c.session_until) or 0, tonumber(c.call_deadline) or 0)
  if till == tonumber(c.session_kept) and not made then return end
  redis.call('PEXPIREAT', SESSION, till + GRACE)
  set('session_kept', till)
end
