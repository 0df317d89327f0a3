-- Appends to the outbox, keeps its last 1,000 messages, and tells who listens: `id`, or, when it is little and the
-- message before it is known, `id|sequence before` and for each message `|length|sequence|at|JSON`.
local OUTBOX_LIMIT, TOLD_LIMIT = 1000, 16384
local told, told_size, last_posted, last_sequence = {}, 0, nil, nil

-- To be called before `post`: which message is the newest, as conv knows it.
local function outbox_ends_with(sequence)
  last_posted = sequence
  told[1] = ID .. '|' .. (sequence or '')
end

local function post(sequence, message)
  local entry = sequence .. '|' .. NOW .. '|' .. message
  local over = redis.call('RPUSH', OUTBOX, entry) - OUTBOX_LIMIT
  told[#told + 1] = #entry .. '|' .. entry
  told_size = told_size + #entry
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
