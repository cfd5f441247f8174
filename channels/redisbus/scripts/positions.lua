-- How far the logs of topics have come. Each is remembered for longer, because somebody listens, and one that is not there but
-- is to be begins.
--
-- ARGV: 1 how many bytes the app may have in logs, 2 an epoch, should a log begin; then for each topic: channel, and its log's
-- size, or 0 if not known, and milliseconds.
-- Returns for each: epoch, or '' if there is no log, offset, stamp, size and milliseconds.
local most, answer = tonumber(ARGV[1]), {}
for i = 3, #ARGV, 3 do
  local channel = ARGV[i]
  local head = head_of(channel)
  if ARGV[i + 1] ~= '0' and redis.call('EXISTS', head) == 0 then
    begin_epoch(channel, ARGV[2])
    redis.call('HSET', head, 'n', ARGV[i + 1], 't', ARGV[i + 2])
  end
  local now = redis.call('HMGET', head, 'e', 'o', 's', 'n', 't')
  if now[1] then keep_head(channel, now[2] == '0' and unused_life or now[5] + hour, clock(), most) end
  answer[#answer + 1] = now[1] or ''
  for field = 2, 5 do answer[#answer + 1] = tonumber(now[field] or 0) end
end
return answer
