-- What the scripts of an app share; it is put before each of them. KEYS[1] is the app's tag, with which all keys begin:
-- they lie in one slot, so the tag is enough to find the server.
local tag = KEYS[1]

-- The time in milliseconds, and in microseconds.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000), t[1] * 1000000 + t[2]
end

local function whole(n) return string.format('%.0f', n) end

-- Whether a lease may still do something. Its deadline is never after its end, so that nothing is done in the name of a
-- lease after somebody else has begun to sweep it; the fence says the same for when the clock was set back.
local function barred(lease, deadline)
  if redis.call('EXISTS', tag .. 'f:' .. lease) == 1 then return 'FENCED' end
  if clock() > tonumber(deadline) then return 'LATE' end
  return false
end

-- The next offset of a topic. A counter that was forgotten begins again at the microseconds of now, which is beyond
-- whatever it had come to: it never rises as fast as that.
local function rise(channel)
  local key = tag .. 'o:' .. channel
  if redis.call('EXISTS', key) == 1 then return redis.call('INCR', key) end
  local _, micros = clock()
  redis.call('SET', key, whole(micros), 'PX', 3600000)
  return micros
end

-- How many sockets are on a topic.
local function total(channel)
  local n = 0
  for _, sockets in ipairs(redis.call('HVALS', tag .. 's:' .. channel)) do n = n + sockets end
  return n
end

-- The last message that was kept, and for how long it still is.
local function kept(channel)
  local value = redis.call('HGET', tag .. 'k', channel)
  if not value then return '', 0 end
  local at = string.find(value, ' ', 1, true)
  local left = tonumber(string.sub(value, 1, at - 1)) - clock()
  if left <= 0 then return '', 0 end
  return string.sub(value, at + 1), left
end
