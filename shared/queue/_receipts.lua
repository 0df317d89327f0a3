-- The receipt of a Web View call: hash, 24 h; what became of the call (a word, see shared/queue/receipts.py) -> since
-- when. What happens to a call whose receipt is gone is noted nowhere.
local MOST_FACTS = 50

local function note_receipt(receipt, fact)
  local key = 'receipt:' .. TAG .. ':' .. receipt
  local known = redis.call('HLEN', key)
  if known > 0 and known < MOST_FACTS then redis.call('HSETNX', key, fact, NOW) end
end

-- The receipt that an event of the inbox names at its end.
local function receipt_in(body)
  return string.match(body, '"receipt":"(%d+%-%x+)"}$')
end
