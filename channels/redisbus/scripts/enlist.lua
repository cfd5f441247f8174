-- Notes that a lease is about to have something in an app, so that who sweeps the lease looks there.
-- ARGV: 1 lease, 2 app. Returns OK, or FENCED if the lease has ended.
if not redis.call('ZSCORE', tag .. 'leases', ARGV[1]) then return 'FENCED' end
redis.call('SADD', tag .. 'a:' .. ARGV[1], ARGV[2])
return 'OK'
