-- Returns the oldest intervals that wait, as ids and texts in turn, when it is this worker's turn. KEYS[1] is the tag.
-- ARGV: worker, for how many milliseconds it has its turn, how many intervals at most.
local tag = KEYS[1]
local holder = redis.call('GET', tag .. 'u:w')
if holder and holder ~= ARGV[1] then return {} end
redis.call('SET', tag .. 'u:w', ARGV[1], 'PX', ARGV[2])
local list = {}
for _, entry in ipairs(redis.call('XRANGE', tag .. 'u:q', '-', '+', 'COUNT', ARGV[3])) do
  list[#list + 1] = entry[1]
  list[#list + 1] = entry[2][2]
end
return list
