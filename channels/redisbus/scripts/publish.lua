-- Publishes messages of one app of which the bus is to remember some.
-- ARGV: 1 and 2 how many bytes the app may have kept, and in logs, 3 an epoch, should a log begin; then each message, as send
-- takes it.
local most = { kept = tonumber(ARGV[1]), logs = tonumber(ARGV[2]) }
for i = 4, #ARGV, message_length do send(i, most, ARGV[3]) end
return 'OK'
