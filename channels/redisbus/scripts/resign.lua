-- Ends a lease whose holder has no more use for it, so that it is swept at once. ARGV: 1 lease.
redis.call('ZADD', tag .. 'leases', 'XX', '0', ARGV[1])
return 'OK'
