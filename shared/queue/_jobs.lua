-- Puts jobs on the queues of the shard, and conversations into the states that wait for one.
local JOB_TTL, BELL_LIMIT, OVERDUE = 86400000, 1000, 4000
local TAG = string.match(CONV, '{.-}')

local function text(value)
  return '\217' .. string.char(#value) .. value  -- msgpack: text of up to 255 bytes
end

-- A job as arq and shared/queue/jobs.py know it, in msgpack: {t: nil, f: function, a: [argument], k: {}, et: NOW}.
local function payload(name, argument)
  local rest, time = NOW, ''
  for _ = 1, 8 do
    time = string.char(rest % 256) .. time
    rest = math.floor(rest / 256)
  end
  return '\133' .. '\161t' .. '\192' .. '\161f' .. text(name) .. '\161a' .. '\145' .. text(argument)
    .. '\161k' .. '\128' .. '\162et' .. '\207' .. time
end

local function enqueue(queue, bell, name, argument)
  local number = (tonumber(read().jobs) or 0) + 1
  local job = name .. ':' .. TAG .. ':' .. argument .. ':' .. number
  redis.call('SET', 'arq:job:' .. job, payload(name, argument), 'PX', JOB_TTL)
  redis.call('ZADD', queue, NOW, job)
  if redis.call('RPUSH', bell, job) > BELL_LIMIT then redis.call('LTRIM', bell, -BELL_LIMIT, -1) end
  set('jobs', number)
  set('job', job)
  redis.call('ZADD', DUE, NOW + OVERDUE, ID)
end

-- Nobody owns the conversation any more.
local function disown(state)
  set('state', state)
  unset('fence', 'lease', 'handed', 'batches')
end

local function to_idle()
  disown('idle')
  redis.call('ZREM', DUE, ID)
end

local function to_queued()
  disown('queued')
  enqueue(DIALOG_QUEUE, DIALOG_BELL, 'advance', ID)
end

local function to_waiting(call)
  disown('waiting')
  enqueue(CALL_QUEUE, CALL_BELL, 'call', call)
end

local function job_is_there(queue, job)
  return job and redis.call('ZSCORE', queue, job) and redis.call('EXISTS', 'arq:job:' .. job) == 1
end
