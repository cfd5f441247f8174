-- Publishes messages of one app of which the bus is to remember some.
-- ARGV: 1 how many bytes the app may have kept; then each message, as send takes it.
for i = 2, #ARGV, message_length do send(i, tonumber(ARGV[1])) end
return 'OK'
