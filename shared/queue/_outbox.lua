-- Appends to the outbox, keeps its last 1,000 messages and about 8 MiB of them, and tells who listens: `id`, or, when it is little and the
-- message before it is known, `id|sequence before` and for each message `|length|sequence|at|JSON`.
local OUTBOX_LIMIT, TOLD_LIMIT = 1000, 16384
local OUTBOX_BYTES, LARGE = 8388608, 8192  -- a thousand messages that are not large have no more bytes: nothing to look at
local told, told_size, last_posted, last_sequence = {}, 0, nil, nil
local new_outbox = nil  -- its key, when `post` has made it

-- To be called before `post`: which message is the newest, as conv knows it.
local function outbox_ends_with(sequence)
  last_posted = sequence
  told[1] = ID .. '|' .. (sequence or '')
end

-- How many of the oldest messages have to go so that the rest has no more bytes than it may; the newest one stays.
local function too_large()
  local size, count = redis.call('MEMORY', 'USAGE', OUTBOX, 'SAMPLES', 0), redis.call('LLEN', OUTBOX)
  local over = 0
  while size > OUTBOX_BYTES and over < count - 1 do
    size = size - #redis.call('LINDEX', OUTBOX, over)
    over = over + 1
  end
  return over
end

local function post(sequence, message)
  local entry = sequence .. '|' .. NOW .. '|' .. message
  local size = redis.call('RPUSH', OUTBOX, entry)
  local over = size - OUTBOX_LIMIT
  if size == 1 then new_outbox = OUTBOX end
  told[#told + 1] = #entry .. '|' .. entry
  told_size = told_size + #entry
  if #entry > LARGE then over = math.max(over, too_large()) end
  if over > 0 then
    local last = redis.call('LINDEX', OUTBOX, over - 1)
    set('trimmed', string.match(last, '^%d+'))
    redis.call('LTRIM', OUTBOX, over, -1)
  end
  last_sequence = sequence
end

local function publish()
  if last_sequence then set('posted', last_sequence) end
  local words = ID
  if last_posted and #told > 1 and told_size <= TOLD_LIMIT then words = table.concat(told, '|') end
  redis.call('PUBLISH', NOTIFY, words)
end
