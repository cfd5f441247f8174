-- Takes intervals off the queue. KEYS[1] is the tag. ARGV: their ids.
local tag = KEYS[1]
for _, id in ipairs(ARGV) do
  local entry = redis.call('XRANGE', tag .. 'u:q', id, id)[1]
  if entry then
    redis.call('XDEL', tag .. 'u:q', id)
    redis.call('DECRBY', tag .. 'u:b', #entry[2][2])
  end
end
-- The stream stays when it is empty: it knows its last id. In a new one an entry might get the id of one that was taken before,
-- after the clock was set back, and be taken off for it.
if redis.call('XLEN', tag .. 'u:q') == 0 then redis.call('DEL', tag .. 'u:b') end
return 1
