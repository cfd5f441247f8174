-- Tells of topics that have been empty for long enough, each once, and returns which are the next.
--
-- ARGV: for each topic: its channel, where to tell it, and what.
--
-- Returns in how many milliseconds the next of the others is due, or -1 if there is none, and all that are due now.
local now = clock()
for i = 1, #ARGV, 3 do
  local due = redis.call('ZSCORE', tag .. 'v', ARGV[i])
  if due and tonumber(due) <= now then
    redis.call('ZREM', tag .. 'v', ARGV[i])
    tell(ARGV[i + 1], ARGV[i + 2])
  end
end
local later = redis.call('ZRANGEBYSCORE', tag .. 'v', '(' .. whole(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local answer = { later[2] and later[2] - now or -1 }
for _, channel in ipairs(redis.call('ZRANGEBYSCORE', tag .. 'v', '-inf', whole(now), 'LIMIT', 0, 100)) do
  answer[#answer + 1] = channel
end
return answer
