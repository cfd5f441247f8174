-- The logs of topics, and how anything is published; it is put before each script of an app, after lib.lua.
--
-- A log is a list of the envelopes that were published last, each with 8 bytes before it that say when, in milliseconds; that
-- is its stamp, and never falls. Their offsets have no gap, and the last one is in the hash beside it, with the epoch and the rule: e, o, s (the
-- last stamp), n (how many are remembered) and t (for how many milliseconds). The hash outlives the list by an hour, and is
-- touched by every edge that listens; when it has gone the next epoch begins.
--
-- A hash without any message goes after ten minutes, so that who subscribes to ever new names fills nothing; who listens touches
-- it more often than that. All hashes of an app are in a sorted set, by when they expire, and are bounded by what its logs may
-- take: beyond that go those that would expire first, with their logs.
--
-- What the logs of an app take is counted in three keys that expire together, as with kept messages.
local logs_by_expiry, log_sizes, logs_bytes = tag .. 'hx', tag .. 'hs', tag .. 'hb'
local heads = tag .. 'gx'
local hour, unused_life, head_size = 3600000, 600000, 512

local function head_of(channel) return tag .. 'g:' .. channel end
local function list_of(channel) return tag .. 'h:' .. channel end

local function stamp(element) return (struct.unpack('>I8', element)) end

local function element_size(element) return #element + 16 end

local function uncount(channel)
  redis.call('ZREM', logs_by_expiry, channel)
  local size = redis.call('HGET', log_sizes, channel)
  if size then
    redis.call('HDEL', log_sizes, channel)
    redis.call('DECRBY', logs_bytes, size)
  end
end

local function forget_log(channel)
  redis.call('UNLINK', list_of(channel))
  uncount(channel)
end

local function begin_epoch(channel, epoch)
  forget_log(channel)
  redis.call('HSET', head_of(channel), 'e', epoch, 'o', '0', 's', '0')
end

-- Has a log's head live for so long, among the heads of the app. These may be as many as fit into most bytes.
local function keep_head(channel, life, now, most)
  redis.call('PEXPIRE', head_of(channel), whole(life))
  redis.call('ZADD', heads, whole(now + life), channel)
  if redis.call('PTTL', heads) < life then redis.call('PEXPIRE', heads, whole(life + hour)) end
  if redis.call('ZCARD', heads) * head_size <= most then return end
  redis.call('ZREMRANGEBYSCORE', heads, '-inf', whole(now))
  local over = math.ceil(redis.call('ZCARD', heads) - most / head_size)
  if over <= 0 then return end
  for _, old in ipairs(redis.call('ZRANGE', heads, 0, math.min(over, 64) - 1)) do
    if old ~= channel then
      forget_log(old)
      redis.call('DEL', head_of(old))
      redis.call('ZREM', heads, old)
    end
  end
end

-- Drops the n oldest of a log, and returns what that frees.
local function drop_oldest(channel, n)
  local freed = 0
  for _, element in ipairs(redis.call('LPOP', list_of(channel), n)) do freed = freed + element_size(element) end
  return freed
end

-- Drops what a log has beyond its rule, and returns how much is left and what that frees. After a rule has become much narrower
-- that takes some messages.
local function trim(channel, length, rule, now)
  local most, list = math.min(64, length - 1), list_of(channel)
  local n = math.max(0, math.min(length - rule.size, most))
  while n < most and stamp(redis.call('LINDEX', list, n)) + rule.ttl <= now do n = n + 1 end
  if n == 0 then return length, 0 end
  return length - n, drop_oldest(channel, n)
end

-- Forgets what is too much for an app, whose logs take sum: first whole logs, those that would expire first, then the oldest of
-- this one.
local function make_room(channel, length, sum, most)
  while sum > most do
    local next = redis.call('ZRANGE', logs_by_expiry, 0, 1)
    local victim = next[1] ~= channel and next[1] or next[2]
    if victim then
      forget_log(victim)
      sum = tonumber(redis.call('GET', logs_bytes))
    elseif length > 1 then
      local freed = drop_oldest(channel, 1)
      redis.call('HINCRBY', log_sizes, channel, -freed)
      sum = redis.call('DECRBY', logs_bytes, freed)
      length = length - 1
    else
      return
    end
  end
end

-- Counts anew what the logs of the app take, as far as it is known.
local function count_logs()
  local sum = 0
  for _, size in ipairs(redis.call('HVALS', log_sizes)) do sum = sum + size end
  redis.call('SET', logs_bytes, whole(sum), 'KEEPTTL')
  return sum
end

-- What need not be done for each message of a busy log: logs of the app that have expired are uncounted, and what counts them
-- outlives them.
local function keep_books(rule, now)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', logs_by_expiry, '-inf', whole(now), 'LIMIT', 0, 64)) do forget_log(old) end
  for _, key in ipairs({ logs_by_expiry, log_sizes, logs_bytes }) do
    if redis.call('PTTL', key) < rule.ttl + hour then redis.call('PEXPIRE', key, whole(rule.ttl + 2 * hour)) end
  end
end

-- Appends an envelope to a log, and returns it with its place in it. rule has size, ttl, epoch (for a log that begins) and most
-- (bytes for the app).
local function append(channel, envelope, rule)
  local head, list, now = head_of(channel), list_of(channel), clock()
  local old = redis.call('HMGET', head, 'e', 'o', 's')
  local epoch, offset, before = old[1], 0, 0
  if epoch then
    offset, before = tonumber(old[2]), tonumber(old[3])
    now = math.max(now, before)
  else
    epoch = rule.epoch
    begin_epoch(channel, epoch)
  end
  offset = offset + 1
  redis.call('HSET', head, 'o', whole(offset), 's', whole(now), 'n', whole(rule.size), 't', whole(rule.ttl))

  local element = struct.pack('>I8', now) .. envelope
  local length = redis.call('RPUSH', list, element)
  redis.call('PEXPIRE', list, whole(rule.ttl))
  if length == 1 then uncount(channel) end -- What was there has expired.
  local size, freed = element_size(element), 0
  local added = redis.call('ZADD', logs_by_expiry, whole(now + rule.ttl), channel) == 1
  if added then size = size + 2 * #channel + 512 end
  length, freed = trim(channel, length, rule, now)
  redis.call('HINCRBY', log_sizes, channel, whole(size - freed))
  local sum = redis.call('INCRBY', logs_bytes, whole(size - freed))
  -- The sum is of this one log only, or has been lost.
  local anew = sum <= size - freed or (added and redis.call('HLEN', log_sizes) == 1)
  if anew then sum = count_logs() end
  make_room(channel, length, sum, rule.most)
  if added or anew or offset % 16 == 1 or now - before > hour / 16 then
    keep_books(rule, now)
    keep_head(channel, rule.ttl + hour, now, rule.most)
  else
    redis.call('PEXPIRE', head, whole(rule.ttl + hour))
  end
  local place = struct.pack('>I8I8', offset, now) .. epoch
  return string.sub(envelope, 1, 18) .. '\2' .. string.char(#place) .. place .. string.sub(envelope, 19)
end

-- The rule of a log as it was noted last, for who does not know it.
local function noted_rule(channel, most)
  local rule = redis.call('HMGET', head_of(channel), 'n', 't', 'e')
  if not rule[1] then return nil end
  return { size = tonumber(rule[1]), ttl = tonumber(rule[2]), epoch = rule[3], most = tonumber(most) }
end

-- Publishes an envelope, with this offset where one is given, and by way of the log where there is a rule for one.
local function tell(channel, envelope, offset, rule)
  if envelope == '' then return end
  if offset then
    envelope = string.sub(envelope, 1, 1) .. struct.pack('>I8', offset) .. string.sub(envelope, 10)
  end
  if rule then envelope = append(channel, envelope, rule) end
  redis.call('SPUBLISH', tag .. 'c:' .. channel, envelope)
end

