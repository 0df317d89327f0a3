-- KEEP_TOKEN: what the holder of the lock has fetched; the lock goes.
-- KEYS  1 token-lock  2 token or token-failed  3 token-grant; one slot
-- ARGV  1 holder  2 content, empty to write none  3 its life in ms  4 sealed refresh token, empty to leave the old one  5 its life in ms
-- Returns 1, or 0 (nothing is written) when the lock is not the holder's any more. A repeat returns 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
if ARGV[4] ~= '' then redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5]) end
redis.call('DEL', KEYS[1])
return 1
