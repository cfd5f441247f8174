-- A page of the occupied channels, by name: for each its name, sockets and members.
-- ARGV: 1 what their names begin with, 2 the last name of the page before, or '', 3 how many.
local from, to = '-', '+'
if ARGV[1] ~= '' then from, to = '[' .. ARGV[1], '[' .. ARGV[1] .. '\255' end
if ARGV[2] ~= '' then from = '(' .. ARGV[2] end
local page = {}
for _, channel in ipairs(redis.call('ZRANGEBYLEX', tag .. 'on', from, to, 'LIMIT', 0, ARGV[3])) do
  page[#page + 1] = channel
  page[#page + 1] = total(channel)
  page[#page + 1] = redis.call('HLEN', tag .. 'm:' .. channel)
end
return page
