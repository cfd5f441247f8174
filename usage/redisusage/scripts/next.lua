-- Returns the oldest intervals that wait, as ids and texts in turn, when it is this worker's turn. KEYS[1] is the tag.
-- ARGV: worker, for how many milliseconds it has its turn, how many intervals at most, after how many bytes to stop.
local tag = KEYS[1]
local holder = redis.call('GET', tag .. 'u:w')
if holder and holder ~= ARGV[1] then return {} end
redis.call('SET', tag .. 'u:w', ARGV[1], 'PX', ARGV[2])
local list, bytes, from = {}, 0, '-'
while #list < 2 * tonumber(ARGV[3]) and bytes < tonumber(ARGV[4]) do
  -- One by one: an interval can be as large as all that may be taken.
  local entry = redis.call('XRANGE', tag .. 'u:q', from, '+', 'COUNT', 1)[1]
  if not entry then break end
  list[#list + 1] = entry[1]
  list[#list + 1] = entry[2][2]
  bytes = bytes + #entry[2][2]
  from = '(' .. entry[1]
end
return list
