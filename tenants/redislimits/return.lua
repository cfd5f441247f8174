-- Gives back ARGV[1] of what was leased of a day, whose number is KEYS[1]. What is not known is not begun by that.
local used = tonumber(redis.call('GET', KEYS[1]) or '')
if used then redis.call('DECRBY', KEYS[1], math.min(used, tonumber(ARGV[1]))) end
return 0
