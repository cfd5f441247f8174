-- Publishes parcels of one app that were not published before, and notes that they were, in one step.
--
-- ARGV: 1 to 3 as publish.lua, 4 how many bytes the app's keys may take, 5 for how many milliseconds at least a key is
-- remembered; then for each parcel: key, or '', digest, answer, how many messages, and each as send takes it.
--
-- Returns USED and which parcel, from 0, whose key was used for something else, or FULL: then nothing was done. Otherwise OK
-- and for each parcel 1 and the answer of the first time, or 0 and ''.
--
-- Keys are noted in one hash for each fifth of that time, which expires as a whole: nothing needs to look for old ones. The
-- field '' of each is how many bytes its keys take. The newest may lie in the hash after that of now, from before the clock
-- was set back.
local most = { kept = tonumber(ARGV[1]), logs = tonumber(ARGV[2]) }
local fifths = 5
local width = math.ceil(tonumber(ARGV[5]) / fifths)
local current = math.floor(clock() / width)

local function hash(i) return tag .. 'i:' .. whole(i) end

local function noted(key)
  for i = current + 1, current - fifths, -1 do
    local value = redis.call('HGET', hash(i), key)
    if value then return value end
  end
end

local function size(key, value) return #key + #value + 128 end

-- What is noted of a parcel: the length of its digest, the digest, and the answer.
local function digest_of(value)
  local at = string.find(value, ' ', 1, true)
  return string.sub(value, at + 1, at + tonumber(string.sub(value, 1, at - 1)))
end

local function answer_of(value)
  local at = string.find(value, ' ', 1, true)
  return string.sub(value, at + 1 + tonumber(string.sub(value, 1, at - 1)))
end

local parcels, known, room = {}, {}, 0
local at = 6
while at <= #ARGV do
  local p = { key = ARGV[at], first = at + 4, messages = tonumber(ARGV[at + 3]) }
  local digest = ARGV[at + 1]
  if p.key ~= '' then
    p.before = known[p.key] or noted(p.key)
    if p.before and digest_of(p.before) ~= digest then return { 'USED', #parcels } end
    if not p.before then
      p.value = #digest .. ' ' .. digest .. ARGV[at + 2]
      room = room + size(p.key, p.value)
    end
    known[p.key] = p.before or p.value
  end
  parcels[#parcels + 1] = p
  at = p.first + p.messages * message_length
end

if room > 0 then
  local sum = room
  for i = current + 1, current - fifths, -1 do sum = sum + (redis.call('HGET', hash(i), '') or 0) end
  if sum > tonumber(ARGV[4]) then return { 'FULL' } end
  redis.call('HINCRBY', hash(current), '', room)
  redis.call('PEXPIRE', hash(current), whole(width * (fifths + 2)))
end

local answer = { 'OK' }
for _, p in ipairs(parcels) do
  if p.before then
    answer[#answer + 1] = 1
    answer[#answer + 1] = answer_of(p.before)
  else
    if p.value then redis.call('HSET', hash(current), p.key, p.value) end
    for i = 0, p.messages - 1 do send(p.first + i * message_length, most, ARGV[3]) end
    answer[#answer + 1] = 0
    answer[#answer + 1] = ''
  end
end
return answer
