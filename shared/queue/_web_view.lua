-- What INGEST asks and notes of a Web View call, beside what it does with every event: fills `web_view`.
local TAKEN, RECEIPT, RECEIPTS, USED, ORIGINS = KEYS[18], KEYS[19], KEYS[20], KEYS[21], KEYS[22]
local POSTED_TTL, RECEIPT_TTL, MOST_RECEIPTS = 2000, 86400000, 1000
local MOST_ORIGINS, ORIGINS_TTL, OTHERS = 100, 2592000000, '*'

-- The first answer to the same call, which is the same body by the same capability: within two seconds, or to the one use of a capability for as long as that lives.
local function first_answer(used, stamp)
  local first = redis.call('GET', EXTRA)
  if not first and used and string.sub(used, 1, #stamp) == stamp then first = string.sub(used, #stamp + 2) end
  if not first then return nil end
  local sequence, at, late, receipt = string.match(first, '^(%d+)|(%d+)|(%d)|(.*)$')
  return {'duplicate', tonumber(sequence), tonumber(at), tonumber(late), receipt}
end

-- Why another call is not taken, nil when it is; it counts then.
local function refusal(used)
  if used then return {'used', 0, 0, 0, ''} end
  local wait = take(TAKEN, ARGV[9])
  if wait > 0 then return {'often', 0, wait, 0, ''} end
end

-- Which origin still uses the checksum that anybody can make: `first|last|how often`.
local function note_origin(origin)
  if redis.call('HEXISTS', ORIGINS, origin) == 0 and redis.call('HLEN', ORIGINS) >= MOST_ORIGINS then origin = OTHERS end
  local known = redis.call('HGET', ORIGINS, origin) or NOW .. '|0|0'
  local first, count = string.match(known, '^(%d+)|%d+|(%d+)$')
  redis.call('HSET', ORIGINS, origin, first .. '|' .. NOW .. '|' .. count + 1)
  redis.call('PEXPIRE', ORIGINS, ORIGINS_TTL)
end

-- Begins the receipt: `late` or `message` says whether it brought one that is to be handled.
local function note_accepted(late, has_message)
  local facts = {'conversation', ID, 'variables', ARGV[11], 'accepted', NOW}
  if has_message then
    facts[#facts + 1] = late == 1 and 'late' or 'message'
    facts[#facts + 1] = NOW
  end
  redis.call('HSET', RECEIPT, unpack(facts))
  redis.call('PEXPIRE', RECEIPT, RECEIPT_TTL)
  local used = ARGV[13] == '1' and string.match(USED, ':([^:]*)$') or ''
  local listed = table.concat({ARGV[10], ARGV[4], used}, '|')  -- what FORGET has to find
  if redis.call('RPUSH', RECEIPTS, listed) > MOST_RECEIPTS then redis.call('LTRIM', RECEIPTS, -MOST_RECEIPTS, -1) end
  redis.call('PEXPIRE', RECEIPTS, RECEIPT_TTL)
end

web_view = {
  -- Whether what authorizes the call has ended, which is so for a call that is sent again, too.
  is_over = function()
    local till = tonumber(ARGV[12])
    return till > 0 and till <= NOW
  end,
  first_answer = first_answer,
  refusal = refusal,
  -- What the one use of a capability was answered, false when it was not used, or counts more than once.
  used = function() return ARGV[13] == '1' and redis.call('GET', USED) end,
  accepted = function(sequence, stamp, late, has_message)
    local answer = table.concat({sequence, NOW, late, ARGV[10]}, '|')
    redis.call('SET', EXTRA, answer, 'PX', POSTED_TTL)
    if ARGV[13] == '1' then redis.call('SET', USED, stamp .. '|' .. answer, 'PXAT', ARGV[12]) end
    if ARGV[14] == '1' then note_origin(ARGV[15]) end
    note_accepted(late, has_message)
  end,
}
