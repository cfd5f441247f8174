-- Leases a part of what a bound leaves of a day. KEYS[1] is a number: what is used, leases included. KEYS[2] is a hash: how much of
-- that each edge has used without a lease.
--
-- ARGV: 1 how much is needed, 2 how much more is of use, 3 the most in the day, 4 how many edges there are, 5 all that this edge has
-- used without a lease, which counts in any case and once, 6 the edge, 7 for how many milliseconds the latter is remembered.
--
-- Returns how much is leased, which is 0 or at least what is needed, and how much is used then; nothing where nothing is known.
local need, want, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local edges, alone = tonumber(ARGV[4]), tonumber(ARGV[5])
local used = tonumber(redis.call('GET', KEYS[1]) or '')
if not used then return {} end
local spent = 0
if alone > 0 then
  spent = math.max(0, alone - tonumber(redis.call('HGET', KEYS[2], ARGV[6]) or 0))
  redis.call('HSET', KEYS[2], ARGV[6], alone)
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
used = used + spent
local leased = 0
if used + need <= limit then
  -- The last of a day is not kept by an edge that may not use it.
  leased = need + math.min(want, math.floor((limit - used - need) / (2 * edges)))
end
if spent + leased > 0 then used = redis.call('INCRBY', KEYS[1], spent + leased) end
return { leased, used }
