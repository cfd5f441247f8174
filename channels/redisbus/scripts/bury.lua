-- Finds a lease to sweep: one that has run out, which ends it for good, or one whose sweeper has died.
-- ARGV: 1 for how many milliseconds past its end a lease is left alone, 2 after how many a sweeper is taken for dead.
-- Returns the lease and the apps in which it may have something, or nothing.
local now = clock()
local lease = redis.call('ZRANGEBYSCORE', tag .. 'leases', '-inf', whole(now - ARGV[1]), 'LIMIT', 0, 1)[1]
if not lease then
  lease = redis.call('ZRANGEBYSCORE', tag .. 'graves', '-inf', whole(now - ARGV[2]), 'LIMIT', 0, 1)[1]
end
if not lease then return {} end
redis.call('ZREM', tag .. 'leases', lease)
redis.call('HDEL', tag .. 'nodes', lease)
redis.call('HDEL', tag .. 'wishes', lease)
redis.call('ZADD', tag .. 'graves', whole(now), lease)
local found = redis.call('SMEMBERS', tag .. 'a:' .. lease)
table.insert(found, 1, lease)
return found
