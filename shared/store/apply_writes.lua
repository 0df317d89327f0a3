-- Applies stamped writes to one target: a consumer's or everybody's data outside conversations. Any order, any number
-- of times: what is older than, or as old as, what a field has is ignored, and a delete leaves its stamp behind.
-- KEYS  1 target: hash, `=<name>` and `*` (all of it was deleted) → expires_at|stamp|+JSON, or …|- once deleted
-- ARGV  1 TTL of a deletion's stamp  2 … for each write: stamp (begins with the time of its COMMIT; compares as text),
--       what (set, delete, clear), name, JSON, TTL in ms from that time
-- The target lives as long as its longest field, and holds at most MOST bytes of names and values (CB:
-- reference/surroundings.md, context service): everybody who reads it gets all of it, in one frame.
-- Returns how many writes were new, how many of those found no room and are not kept, and how many values are held now.
local MOST = 800000
local TIDY_ABOVE, TIDY_EVERY = 256, 64
local target, stamp_ttl = KEYS[1], tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local applied, refused, held, room = 0, 0, 0, nil

local function stamp_of(entry)
  return entry and string.match(entry, '^%d+|([^|]*)|') or ''
end

local function each(action)
  local all = redis.call('HGETALL', target)
  for i = 1, #all, 2 do action(all[i], all[i + 1]) end
end

local function put(field, stamp, value, ttl)
  local expires = tonumber(string.match(stamp, '^%d+')) + ttl
  redis.call('HSET', target, field, expires .. '|' .. stamp .. '|' .. value)
  redis.call('PEXPIRE', target, math.max(redis.call('PTTL', target), expires - now, 1))
  applied = applied + 1
end

-- Tells whether a value finds room in the target, which is measured when first asked for.
local function fits(field, value)
  if not room then
    room = MOST
    each(function(known, entry)
      if tonumber(string.match(entry, '^%d+')) > now then
        room = room - #known - #entry
      else
        redis.call('HDEL', target, known)
      end
    end)
  end
  local grows = #field + #value - redis.call('HSTRLEN', target, field)
  if grows > math.max(room, 0) then return false end
  room = room - grows
  return true
end

local function clear(stamp)
  room = nil
  each(function(field, entry)
    if stamp_of(entry) < stamp then redis.call('HDEL', target, field) end
  end)
  put('*', stamp, '-', stamp_ttl)
end

for i = 2, #ARGV, 5 do
  local stamp, what, field = ARGV[i], ARGV[i + 1], '=' .. ARGV[i + 2]
  local cleared, written = stamp_of(redis.call('HGET', target, '*')), ''
  if what ~= 'clear' then written = stamp_of(redis.call('HGET', target, field)) end
  if what == 'set' and stamp == written then held = held + 1 end
  if stamp > cleared and stamp > written then
    if what == 'clear' then
      clear(stamp)
    elseif what == 'delete' then
      put(field, stamp, '-', stamp_ttl)
    elseif fits(field, ARGV[i + 3]) then
      put(field, stamp, '+' .. ARGV[i + 3], tonumber(ARGV[i + 4]))
      held = held + 1
    else
      refused = refused + 1
    end
  end
end

-- now and then a large target is rid of what has expired
local size = redis.call('HLEN', target)
if size > TIDY_ABOVE and size % TIDY_EVERY == 0 then
  each(function(field, entry)
    if tonumber(string.match(entry, '^%d+')) <= now then redis.call('HDEL', target, field) end
  end)
end
return {applied, refused, held}
