-- claim_meta.lua - what the cluster is: written by the first daemon, read by all others.
-- KEYS 1 meta   ARGV 1 layout 2 shards 3 Kafka cluster id   -> what holds, in the same order
local fields = {'layout', 'shards', 'kafka_cluster_id'}
local layout = redis.call('HGET', KEYS[1], 'layout')
if layout and (tonumber(layout) or 0) > tonumber(ARGV[1]) then
    return redis.error_reply('LAYOUT ' .. layout)
end
-- An empty id says nothing: it is not kept.
if redis.call('HGET', KEYS[1], 'kafka_cluster_id') == '' then
    redis.call('HDEL', KEYS[1], 'kafka_cluster_id')
end
for i, field in ipairs(fields) do redis.call('HSETNX', KEYS[1], field, ARGV[i]) end
return redis.call('HMGET', KEYS[1], unpack(fields))
