-- The last message that was kept on a topic, and for how many milliseconds it still is. ARGV: 1 channel.
local message, left = kept(ARGV[1])
return { message, left }
