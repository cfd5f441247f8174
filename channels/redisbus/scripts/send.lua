-- How messages are published of which some are kept for newcomers; it is put before the scripts that publish.
--
-- What is kept lies in three keys that expire together. Beyond the bound goes first what would expire first.
local by_channel, by_expiry, bytes = tag .. 'k', tag .. 'kx', tag .. 'kb'

local function kept_size(channel, value) return #value + 2 * #channel + 256 end

local function drop(channel)
  local old = redis.call('HGET', by_channel, channel)
  if not old then return end
  redis.call('HDEL', by_channel, channel)
  redis.call('ZREM', by_expiry, channel)
  redis.call('DECRBY', bytes, kept_size(channel, old))
end

local function keep(channel, envelope, time, most)
  local now = clock()
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', by_expiry, '-inf', now, 'LIMIT', 0, 16)) do drop(old) end
  drop(channel)
  local expires = whole(now + time)
  local value = expires .. ' ' .. envelope
  redis.call('HSET', by_channel, channel, value)
  redis.call('ZADD', by_expiry, expires, channel)
  local sum = redis.call('INCRBY', bytes, kept_size(channel, value))
  while sum > most do
    local next = redis.call('ZRANGE', by_expiry, 0, 1)
    local victim = next[1] ~= channel and next[1] or next[2]
    if not victim then break end
    drop(victim)
    sum = tonumber(redis.call('GET', bytes))
  end
  if redis.call('PTTL', by_channel) < time then
    for _, key in ipairs({ by_channel, by_expiry, bytes }) do redis.call('PEXPIRE', key, time) end
  end
end

-- Publishes the message that is in ARGV from i on: channel, envelope, milliseconds to keep it, or 0, how many messages its log
-- remembers, or 0, and for how many milliseconds. Keeping, the offset, the log and the publishing are one step. most is how
-- many bytes of each kind the app may have kept: kept, logs; and epoch is for a log that begins.
local message_length = 5
local function send(i, most, epoch)
  local channel, envelope, time = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local offset, rule
  if ARGV[i + 3] ~= '0' then
    rule = { size = tonumber(ARGV[i + 3]), ttl = tonumber(ARGV[i + 4]), epoch = epoch, most = most.logs }
  end
  if time > 0 then
    offset = rise(channel)
    keep(channel, envelope, time, most.kept)
  end
  tell(channel, envelope, offset, rule)
end

