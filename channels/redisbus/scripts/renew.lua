-- Renews a lease, or begins one. A lease that is past its end but that nobody has begun to sweep is renewed as well: after
-- an outage all edges come back and none has lost anything.
--
-- ARGV: 1 lease, 2 its length in milliseconds, 3 the node that holds it, 4 '1' for a new lease, 5 an epoch, should there
-- be none yet.
--
-- Returns OK or FENCED, the time in milliseconds, the epoch, which is another one if Redis has lost what it held, and what
-- somebody wishes of the node, or ''.
local now = clock()
redis.call('HSETNX', tag .. 'meta', 'epoch', ARGV[5])
local epoch = redis.call('HGET', tag .. 'meta', 'epoch')
if ARGV[4] ~= '1' and not redis.call('ZSCORE', tag .. 'leases', ARGV[1]) then return { 'FENCED', now, epoch } end
redis.call('ZADD', tag .. 'leases', whole(now + ARGV[2]), ARGV[1])
redis.call('HSET', tag .. 'nodes', ARGV[1], ARGV[3])
return { 'OK', now, epoch, redis.call('HGET', tag .. 'wishes', ARGV[1]) or '' }
