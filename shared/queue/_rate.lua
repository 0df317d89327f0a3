-- Counts against a rate: `most` a minute, all of them at once if need be, given back evenly. What is kept is the moment
-- when all will have been given back. Returns 0, or in how many ms the next one may come; that one is not counted.
local MINUTE = 60000

local function take(key, most)
  local step = MINUTE / tonumber(most)
  local till = math.max(tonumber(redis.call('GET', key) or 0), NOW) + step
  local wait = till - MINUTE - NOW
  if wait > 0.001 then return math.ceil(wait) end
  redis.call('SET', key, string.format('%.3f', till), 'PX', math.ceil(till - NOW))
  return 0
end
