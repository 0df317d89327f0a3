-- Whether the inbox takes no further event: at most `most` of them, of about `most_bytes` together as the server keeps
-- them, which it knows without reading them: there is nothing to count, and nothing to take off in COMMIT. An empty
-- inbox takes any event.
local function inbox_is_full(most, most_bytes, body)
  local waiting = redis.call('LLEN', INBOX)
  if waiting == 0 then return false end
  return waiting >= tonumber(most) or redis.call('MEMORY', 'USAGE', INBOX, 'SAMPLES', 0) + #body > tonumber(most_bytes)
end
