-- Reads on in the log of a topic.
--
-- ARGV: 1 channel, 2 epoch that the reader knows, 3 offset that it has come to, 4 the stamp there, 5 the highest offset that it
-- has heard of, 6 another epoch, 7 how many messages at most, 8 after how many bytes it is enough.
--
-- Returns the epoch, or '' if there is no log, the offset that the log has come to, the offset of the first message that
-- follows, and these, each an element of the list. They come after the reader's place if the epoch is the reader's, and from the
-- first that is remembered if it is another.
--
-- A server that has taken over from one that failed, or that was started anew, may know less than was published. Then the
-- log has not come as far as the reader, or has something else in the reader's place. What others have read is not known,
-- so that is the end of the epoch.
local channel, epoch, last = ARGV[1], ARGV[2], tonumber(ARGV[3])
local head, list = head_of(channel), list_of(channel)
local now = redis.call('HMGET', head, 'e', 'o')
if not now[1] then return { '', 0, 0 } end
local current, top = now[1], tonumber(now[2])
local length = redis.call('LLEN', list)
local first = top - length + 1

if current == epoch then
  local forked = top < tonumber(ARGV[5])
  if not forked and ARGV[4] ~= '0' and last >= first and last <= top then
    forked = stamp(redis.call('LINDEX', list, last - first)) ~= tonumber(ARGV[4])
  end
  if forked then
    begin_epoch(channel, ARGV[6])
    return { ARGV[6], 0, 1 }
  end
end

local from = first
if current == epoch then from = math.max(first, last + 1) end
local answer, size = { current, top, from }, 0
local most = tonumber(ARGV[7])
while #answer - 3 < most and size < tonumber(ARGV[8]) do
  local at, some = from - first + #answer - 3, math.min(16, most - (#answer - 3))
  local elements = redis.call('LRANGE', list, at, at + some - 1)
  for _, element in ipairs(elements) do
    answer[#answer + 1] = element
    size = size + #element
  end
  if #elements < some then break end
end
return answer
