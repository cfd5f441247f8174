-- How a topic is occupied: sockets, members, and 1 if it is empty but nobody was told. ARGV: 1 channel.
return {
  total(ARGV[1]),
  redis.call('HLEN', tag .. 'm:' .. ARGV[1]),
  redis.call('ZSCORE', tag .. 'v', ARGV[1]) and 1 or 0,
}
