-- Notes for a node that it is to drain, which it learns when it renews its lease. ARGV: 1 id of the node.
-- Returns how many leases the node has: more than one if it was started anew before the old one was swept.
local found = 0
local nodes = redis.call('HGETALL', tag .. 'nodes')
for i = 1, #nodes, 2 do
  local understood, node = pcall(cjson.decode, nodes[i + 1])
  local ends = redis.call('ZSCORE', tag .. 'leases', nodes[i])
  if understood and type(node) == 'table' and node.id == ARGV[1] and ends and tonumber(ends) > 0 then
    redis.call('HSET', tag .. 'wishes', nodes[i], 'drain')
    found = found + 1
  end
end
return found
