-- Sockets of one lease have gone. Only what is on record is undone, and only if it is no later join than the one that is
-- meant, so that it does no harm to say it twice, late, or of a socket that has come back.
--
-- ARGV: 1 lease, 2 deadline, or '' from who sweeps the lease, 3 how many bytes the app may have in logs; then for each socket:
-- socket, channel, number of the join, notice that its member has gone, milliseconds until its topic is told to be empty, or -1
-- if it is not told. Who sweeps does not know which topics have a log, so the rules are those that were noted with the logs.
--
-- Returns LATE or FENCED, or OK with, for each socket, how many are left on its topic and 1 if that will be told.
local lease, deadline = ARGV[1], ARGV[2]
if deadline == '' then
  redis.call('SET', tag .. 'f:' .. lease, '1', 'PX', 3600000)
else
  local no = barred(lease, deadline)
  if no then return { no } end
end

local records = tag .. 'l:' .. lease

local function forget(channel, record, notice)
  if redis.call('HINCRBY', tag .. 's:' .. channel, lease, -1) <= 0 then
    redis.call('HDEL', tag .. 's:' .. channel, lease)
  end
  local at = string.find(record, ' ', 1, true)
  if at then
    local member = string.sub(record, at + 1)
    if redis.call('HINCRBY', tag .. 'n:' .. channel, member, -1) <= 0 then
      redis.call('HDEL', tag .. 'n:' .. channel, member)
      redis.call('HDEL', tag .. 'm:' .. channel, member)
      tell(channel, notice, rise(channel), noted_rule(channel, ARGV[3]))
    end
  end
end

local answer = { 'OK' }
for i = 4, #ARGV, 5 do
  local socket, channel, number, notice, grace = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4])
  local field = socket .. ' ' .. channel
  local record = redis.call('HGET', records, field)
  local vacating = 0
  if record and tonumber(string.match(record, '^%d+')) <= tonumber(number) then
    redis.call('HDEL', records, field)
    forget(channel, record, notice)
    if redis.call('EXISTS', tag .. 's:' .. channel) == 0 then
      redis.call('ZREM', tag .. 'on', channel)
      if grace >= 0 then
        redis.call('ZADD', tag .. 'v', whole(clock() + grace), channel)
        vacating = 1
      end
    end
  end
  answer[#answer + 1] = total(channel)
  answer[#answer + 1] = vacating
end
return answer
