/**
 * Takes a request out of every bucket that it is counted in, or out of none: one script, so that whatever
 * asks at the same time is put in an order, by the clock of Redis, which all replicas share.
 *
 * A bucket is a debt that flows off: each request adds `per` to it, `requests` leave it in each microsecond,
 * and one that would bring it over `burst * per` is refused (GCRA's arithmetic, in whole numbers: none
 * exceeds 2^53, so nothing is rounded). A bucket without debt is no key.
 *
 * KEYS     the buckets
 * ARGV[1]  1: buckets that are not there may be made
 * then for each bucket: requests, microseconds, burst, 1 if it is enforced
 * answers for each bucket: 1 if there was room, tokens left, microseconds until there is room and until it
 *         is full again, 1 if it is new
 */
export const TAKE = `
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local mayMake = ARGV[1] == "1"
local buckets, isRefused = {}, false

for index, key in ipairs(KEYS) do
  local first = index * 4 - 2
  local requests, per = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local capacity = tonumber(ARGV[first + 2]) * per
  local debt, held, isSetBack = 0, redis.call("GET", key), false
  if held then
    local owed, since = string.match(held, "^(%d+) (%d+)$")
    -- A limit that has become smaller owes no more than it holds.
    debt = math.min(tonumber(owed), capacity)
    -- A clock that was set back has let no time pass, and is what counts from now on.
    isSetBack = tonumber(since) > now
    local elapsed = math.max(0, now - tonumber(since))
    if elapsed >= debt / requests then debt = 0 else debt = debt - elapsed * requests end
  end
  local hasRoom = debt + per <= capacity
  if not hasRoom and ARGV[first + 3] == "1" then isRefused = true end
  buckets[index] = {
    key = key, requests = requests, per = per, capacity = capacity, debt = debt,
    hasRoom = hasRoom, isNew = not held, isSetBack = isSetBack
  }
end

local answers = {}
for index, bucket in ipairs(buckets) do
  local isNew = 0
  local isTaken = bucket.hasRoom and not isRefused and (mayMake or not bucket.isNew)
  if isTaken then
    bucket.debt = bucket.debt + bucket.per
    if bucket.isNew then isNew = 1 end
  end
  if isTaken or bucket.isSetBack then
    local lasts = math.max(1, math.ceil(bucket.debt / bucket.requests / 1000))
    redis.call("SET", bucket.key, string.format("%.0f %.0f", bucket.debt, now), "PX", string.format("%.0f", lasts))
  end
  answers[index] = {
    bucket.hasRoom and 1 or 0,
    math.floor((bucket.capacity - bucket.debt) / bucket.per),
    math.max(0, math.ceil((bucket.debt + bucket.per - bucket.capacity) / bucket.requests)),
    math.ceil(bucket.debt / bucket.requests),
    isNew
  }
end
return answers
`;
