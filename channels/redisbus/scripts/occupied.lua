-- How topics are occupied: for each sockets, members, and 1 if it is empty but nobody was told. ARGV: the channels.
local answer = {}
for _, channel in ipairs(ARGV) do
  answer[#answer + 1] = total(channel)
  answer[#answer + 1] = redis.call('HLEN', tag .. 'm:' .. channel)
  answer[#answer + 1] = redis.call('ZSCORE', tag .. 'v', channel) and 1 or 0
end
return answer
