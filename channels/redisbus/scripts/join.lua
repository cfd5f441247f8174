-- A socket subscribes: it is noted under its lease, its member is counted, and whoever must hear of it is told.
--
-- ARGV: 1 lease, 2 deadline, 3 socket, 4 channel, 5 number of the join, 6 '1' on a presence channel, 7 member, 8 what it
-- tells of itself, 9 the most members, 10 notice of a new member, 11 and 12 where to tell that the topic is occupied,
-- and what ('' is nothing), 13 '1' for a channel that is listed, 14 '1' if nothing is told, 15 '1' if the welcome is wanted,
-- 16 and 17 how many messages the topic's log remembers, or 0, and for how many milliseconds, 18 an epoch, should it begin, 19
-- how many bytes the app may have in logs, 20 the most sockets, or 0.
--
-- Returns LATE or FENCED when the lease has no say any more, FULL, BUSY when the socket is there as somebody else, or OK
-- with subscribers, offset, kept message, milliseconds that it is kept, and members and what they tell in turn.
local lease, socket, channel, number = ARGV[1], ARGV[3], ARGV[4], ARGV[5]
local member = ARGV[6] == '1' and ARGV[7]
local quiet = ARGV[14] == '1'

local no = barred(lease, ARGV[2])
if no then return { no } end

local records, field = tag .. 'l:' .. lease, socket .. ' ' .. channel
local record = number
if member then record = number .. ' ' .. member end

local old = redis.call('HGET', records, field)
if old then
  local at = string.find(old, ' ', 1, true)
  if (at and string.sub(old, at + 1) or false) ~= member then return { 'BUSY' } end
  -- A join that was given up may arrive after the one that took its place.
  if tonumber(string.match(old, '^%d+')) < tonumber(number) then redis.call('HSET', records, field, record) end
else
  local known = member and redis.call('HEXISTS', tag .. 'm:' .. channel, member) == 1
  if member and not known and redis.call('HLEN', tag .. 'm:' .. channel) >= tonumber(ARGV[9]) then return { 'FULL' } end
  local most = tonumber(ARGV[20])
  if most > 0 and total(channel) >= most then return { 'FULL' } end
  local first = redis.call('EXISTS', tag .. 's:' .. channel) == 0

  redis.call('HSET', records, field, record)
  redis.call('HINCRBY', tag .. 's:' .. channel, lease, 1)
  if member then
    redis.call('HINCRBY', tag .. 'n:' .. channel, member, 1)
    if not known then
      redis.call('HSET', tag .. 'm:' .. channel, member, ARGV[8])
      local offset = rise(channel)
      local rule
      if ARGV[16] ~= '0' then
        rule = { size = tonumber(ARGV[16]), ttl = tonumber(ARGV[17]), epoch = ARGV[18], most = tonumber(ARGV[19]) }
      end
      if not quiet then tell(channel, ARGV[10], offset, rule) end
    end
  end
  if first then
    if ARGV[13] == '1' then redis.call('ZADD', tag .. 'on', 0, channel) end
    if redis.call('ZREM', tag .. 'v', channel) == 0 and not quiet then tell(ARGV[11], ARGV[12]) end
  end
end

if ARGV[15] ~= '1' then return { 'OK' } end
local message, left = kept(channel)
local welcome = { 'OK', total(channel), redis.call('GET', tag .. 'o:' .. channel) or '0', message, left }
if member then
  local members = redis.call('HGETALL', tag .. 'm:' .. channel)
  for i = 1, #members do welcome[5 + i] = members[i] end
end
return welcome
