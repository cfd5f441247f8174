-- Says of a lease that is being swept that its sweeper lives, or with ARGV 2 = '1' that it is done.
-- ARGV: 1 lease, 2 '1' if all is swept.
if ARGV[2] == '1' then
  redis.call('ZREM', tag .. 'graves', ARGV[1])
  redis.call('DEL', tag .. 'a:' .. ARGV[1])
else
  redis.call('ZADD', tag .. 'graves', 'XX', whole((clock())), ARGV[1])
end
return 'OK'
