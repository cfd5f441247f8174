-- Takes intervals off the queue. KEYS[1] is the tag. ARGV: their ids.
local tag = KEYS[1]
for _, id in ipairs(ARGV) do
  local entry = redis.call('XRANGE', tag .. 'u:q', id, id)[1]
  if entry then
    redis.call('XDEL', tag .. 'u:q', id)
    redis.call('DECRBY', tag .. 'u:b', #entry[2][2])
  end
end
if redis.call('XLEN', tag .. 'u:q') == 0 then redis.call('DEL', tag .. 'u:q', tag .. 'u:b') end
return 1
