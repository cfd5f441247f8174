-- Leases a part of what a bound allows in a second, and takes back what was leased and not used.
--
-- KEYS[1] is a hash: the moment, in milliseconds, until which something may be used, to how much. It counts for a second after
-- that moment.
-- ARGV: 1 how much is needed, or 0, 2 how much more is of use, 3 the most in a second, 4 how many may be over it, 5 for how many
-- milliseconds a lease is good, 6 to how many milliseconds moments are rounded up, 7 how many edges there are; then for each
-- lease of which something comes back: its moment, and how much.
--
-- Returns how much is leased, which is 0 or at least what is needed; until when; how much is left; and in how many milliseconds
-- what is needed would be there if nobody else took it.
local second, stale = 1000, 5000
local need, want, limit, over = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local good, grain, edges = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000

for i = 8, #ARGV, 2 do
  local there = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or 0)
  local left = there - tonumber(ARGV[i + 1])
  if left > 0 then
    redis.call('HSET', KEYS[1], ARGV[i], left)
  elseif there > 0 then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end

local used, spans, all = 0, {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local moment, n = tonumber(all[i]), tonumber(all[i + 1])
  -- What is too far ahead was noted before the clock was set back.
  if moment + second <= now or moment > now + stale then
    redis.call('HDEL', KEYS[1], all[i])
  else
    used = used + n
    spans[#spans + 1] = { moment, n }
  end
end

local free = limit + over - used
if need > free then
  table.sort(spans, function(a, b) return a[1] < b[1] end)
  local missing, wait = need - free, second
  for _, span in ipairs(spans) do
    missing = missing - span[2]
    if missing <= 0 then
      wait = math.max(1, math.ceil(span[1] + second - now))
      break
    end
  end
  return { 0, '0', math.max(0, free), wait }
end
if need == 0 then return { 0, '0', math.max(0, free), 0 } end

-- What is of use goes to who asks, but for what the others may need in the meantime.
local leased = need + math.min(want, math.floor((free - need) / edges))
local moment = string.format('%.0f', math.ceil((now + good) / grain) * grain)
redis.call('HINCRBY', KEYS[1], moment, leased)
redis.call('PEXPIRE', KEYS[1], stale)
return { leased, moment, free - leased, 0 }
