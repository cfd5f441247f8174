-- Leases a part of what a bound leaves of a day. KEYS[1] is a number: what is used, leases included.
--
-- ARGV: 1 how much is needed, 2 how much more is of use, 3 the most in the day, 4 how many edges there are, 5 how much was used
-- without a lease, which counts in any case.
--
-- Returns how much is leased, which is 0 or at least what is needed, and how much is used then; nothing where nothing is known.
local need, want, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local edges, spent = tonumber(ARGV[4]), tonumber(ARGV[5])
local used = tonumber(redis.call('GET', KEYS[1]) or '')
if not used then return {} end
used = used + spent
local leased = 0
if used + need <= limit then
  -- The last of a day is not kept by an edge that may not use it.
  leased = need + math.min(want, math.floor((limit - used - need) / (2 * edges)))
end
if spent + leased > 0 then used = redis.call('INCRBY', KEYS[1], spent + leased) end
return { leased, used }
