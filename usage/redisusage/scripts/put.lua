-- Puts one interval into the queue. KEYS[1] is the tag. ARGV: edge, number, text, how many bytes may wait, and for how many
-- milliseconds the number is remembered. Returns 1 when it is there, also from before, and 0 when there is no room.
local tag = KEYS[1]
local last = tag .. 'u:e:' .. ARGV[1]
if tonumber(redis.call('GET', last) or 0) >= tonumber(ARGV[2]) then return 1 end
local waiting = tonumber(redis.call('GET', tag .. 'u:b') or 0)
if waiting > 0 and waiting + #ARGV[3] > tonumber(ARGV[4]) then return 0 end
redis.call('XADD', tag .. 'u:q', '*', 'i', ARGV[3])
redis.call('INCRBY', tag .. 'u:b', #ARGV[3])
redis.call('SET', last, ARGV[2], 'PX', ARGV[5])
return 1
