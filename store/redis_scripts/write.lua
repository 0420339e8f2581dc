-- write.lua - one part of a group of writes to one shard. The rules are those of
-- store/store.h, the reasons are in docs/store.md. All but the numbers behind the last part is
-- checked before anything is changed; an unreadable number counts as 0, so that a rewrite mends
-- it. Sequences and tokens are compared as text, for Lua's numbers are doubles.
--
-- Each part writes down how many jobs, records and members it leaves behind, and the next one
-- goes on only where it finds as many: a key or a field that Redis lost in between is never
-- covered up by counting anew.
--
-- KEYS  1 jobs  2 seen  3 groups  4 super_groups  5 super_group_of  6 runs
--       7-12 the same six of an unfinished rewrite  13 snapshot  14 writer  15 meta
-- ARGV  1 known layout  2 generation  3 epoch  4 mode  5 sequence followed  6 group token
--       7 part  8 sequence of the snapshot, '' = not the last part
--       9 jobs  10 remembered records  11 open runs that must be there after the last part,
--       -1 = not known
--       12 token under which the group has come so far, where it goes on under a new one, or ''
--       13 Kafka cluster of the writer, '' = whichever
--       14 count of the snapshot arguments that come next (field, value, ...)
--       then four arguments an item: kind, name, text, super group
local generation, epoch = tonumber(ARGV[2]), tonumber(ARGV[3])
local mode, follows, token, part = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local sequence, snapshot_arguments, first_argument = ARGV[8], tonumber(ARGV[14]), 15
local token_before = ARGV[12] ~= '' and ARGV[12] or token
local rewrite, last = mode == 'rewrite', ARGV[8] ~= ''
local snapshot_key, writer_key = KEYS[13], KEYS[14]
local base = rewrite and 6 or 0
local jobs, seen, groups = KEYS[base + 1], KEYS[base + 2], KEYS[base + 3]
local super_groups, super_group_of, runs = KEYS[base + 4], KEYS[base + 5], KEYS[base + 6]

local belongs_to = redis.call('HGET', KEYS[15], 'kafka_cluster_id')
if ARGV[13] ~= '' and belongs_to and belongs_to ~= '' and belongs_to ~= ARGV[13] then
    return redis.error_reply('FOREIGN ' .. belongs_to)
end

local stored = redis.call('HMGET', snapshot_key, 'layout', 'generation', 'epoch', 'sequence')
local writer = redis.call('HMGET', writer_key, 'generation', 'epoch', 'mode', 'token', 'part')

local function is_newer(other_generation, other_epoch)
    if not other_generation or not other_epoch then return false end
    local g, e = tonumber(other_generation) or 0, tonumber(other_epoch) or 0
    return g > generation or (g == generation and e > epoch)
end

if stored[1] and (tonumber(stored[1]) or 0) > tonumber(ARGV[1]) then
    return redis.error_reply('LAYOUT ' .. stored[1])
end
if is_newer(stored[2], stored[3]) or is_newer(writer[1], writer[2]) then
    return redis.status_reply('STALE')
end
if not rewrite and stored[4] ~= follows then return redis.status_reply('GAP') end
if part > 0 and (writer[3] ~= mode or writer[4] ~= token_before or writer[5] ~= ARGV[7]) then
    return redis.status_reply('GAP')
end
-- A rewrite that was delayed on a dead connection must not take its own owner back.
if rewrite and last and stored[4] and tonumber(stored[2]) == generation and
    tonumber(stored[3]) == epoch and (tonumber(stored[4]) or 0) > tonumber(sequence) then
    return redis.status_reply('GAP')
end

local held_fields = {'held_jobs', 'held_seen', 'held_super_groups', 'held_runs'}
local held_key = rewrite and writer_key or snapshot_key

local function count()
    return redis.call('HLEN', jobs), redis.call('HLEN', seen), redis.call('ZCARD', groups),
           redis.call('ZCARD', super_groups), redis.call('HLEN', super_group_of),
           redis.call('HLEN', runs)
end

local function is_whole()
    local held = redis.call('HMGET', held_key, unpack(held_fields))
    local job_count, seen_count, group_count, super_count, super_of_count, run_count = count()
    return tonumber(held[1] or '') == job_count and tonumber(held[2] or '') == seen_count and
           tonumber(held[3] or '') == super_count and group_count == job_count and
           super_of_count == super_count and
           (tonumber(held[4] or '') or 0) == run_count -- of before there were runs: none
end

if not (rewrite and part == 0) and not is_whole() then return redis.status_reply('DAMAGED') end

local function call_with_list(command, key, list)
    if #list > 0 then redis.call(command, key, unpack(list)) end
end

-- Moves `names` to the super groups in `wanted` ('' = none), from where they are. A name given
-- twice does no harm: its last super group holds.
local function move_super_groups(names, wanted)
    local current = redis.call('HMGET', super_group_of, unpack(names))
    local left, left_names, joined, joined_names = {}, {}, {}, {}
    for i, name in ipairs(names) do
        local old, new = current[i] or '', wanted[name]
        if old ~= new then
            if old ~= '' then left[#left + 1] = old .. '/' .. name end
            if new == '' then
                left_names[#left_names + 1] = name
            else
                joined[#joined + 1] = 0
                joined[#joined + 1] = new .. '/' .. name
                joined_names[#joined_names + 1] = name
                joined_names[#joined_names + 1] = new
            end
        end
    end
    call_with_list('ZREM', super_groups, left)
    call_with_list('HDEL', super_group_of, left_names)
    call_with_list('ZADD', super_groups, joined)
    call_with_list('HSET', super_group_of, joined_names)
end

local apply = {}

function apply.put(first, beyond)
    local texts, members, names, wanted = {}, {}, {}, {}
    for i = first, beyond - 1, 4 do
        local name = ARGV[i + 1]
        texts[#texts + 1] = name
        texts[#texts + 1] = ARGV[i + 2]
        members[#members + 1] = 0
        members[#members + 1] = name
        names[#names + 1] = name
        wanted[name] = ARGV[i + 3]
    end
    redis.call('HSET', jobs, unpack(texts))
    redis.call('ZADD', groups, unpack(members))
    move_super_groups(names, wanted)
end

function apply.delete(first, beyond)
    local names, wanted = {}, {}
    for i = first, beyond - 1, 4 do
        local name = ARGV[i + 1]
        names[#names + 1] = name
        wanted[name] = ''
    end
    redis.call('HDEL', jobs, unpack(names))
    redis.call('ZREM', groups, unpack(names))
    move_super_groups(names, wanted)
end

local function put_texts(key, first, beyond)
    local texts = {}
    for i = first, beyond - 1, 4 do
        texts[#texts + 1] = ARGV[i + 1]
        texts[#texts + 1] = ARGV[i + 2]
    end
    redis.call('HSET', key, unpack(texts))
end

local function delete_texts(key, first, beyond)
    local names = {}
    for i = first, beyond - 1, 4 do names[#names + 1] = ARGV[i + 1] end
    redis.call('HDEL', key, unpack(names))
end

apply.seen = function(first, beyond) put_texts(seen, first, beyond) end
apply.forget = function(first, beyond) delete_texts(seen, first, beyond) end
apply.run = function(first, beyond) put_texts(runs, first, beyond) end
apply['end'] = function(first, beyond) delete_texts(runs, first, beyond) end

-- UNLINK frees in the background, RENAME onto an old key would free it here and now.
if part == 0 and (rewrite or writer[3] == 'rewrite') then
    redis.call('UNLINK', unpack(KEYS, 7, 12))
end

-- Items of one kind that follow each other are applied in one call; else their order holds.
local first = first_argument + snapshot_arguments
while first <= #ARGV do
    local kind, beyond = ARGV[first], first + 4
    while ARGV[beyond] == kind do beyond = beyond + 4 end
    apply[kind](first, beyond)
    first = beyond
end

local job_count, seen_count, _, super_count, _, run_count = count()
local held = {'held_jobs', job_count, 'held_seen', seen_count, 'held_super_groups', super_count,
              'held_runs', run_count}
redis.call('HSET', held_key, unpack(held))
local function differs(expected, found)
    return tonumber(expected) >= 0 and tonumber(expected) ~= found
end
local damaged = last and (differs(ARGV[9], job_count) or differs(ARGV[10], seen_count) or
                          differs(ARGV[11], run_count))
-- Also where the numbers turn out wrong: who looks is told what has changed the shard.
if damaged or not last then
    redis.call('HSET', writer_key, 'generation', ARGV[2], 'epoch', ARGV[3], 'mode', mode,
               'token', token, 'part', part + 1)
    return redis.status_reply(damaged and 'DAMAGED' or 'WRITTEN')
end
if rewrite then
    redis.call('UNLINK', unpack(KEYS, 1, 6))
    for i = 1, 6 do
        if redis.call('EXISTS', KEYS[6 + i]) == 1 then
            redis.call('RENAME', KEYS[6 + i], KEYS[i])
        end
    end
end
redis.call('HSET', snapshot_key, unpack(ARGV, first_argument,
                                       first_argument + snapshot_arguments - 1))
redis.call('HSET', snapshot_key, 'job_count', job_count, 'seen_count', seen_count, unpack(held))
redis.call('HSET', writer_key, 'generation', ARGV[2], 'epoch', ARGV[3], 'mode', '',
           'token', '', 'part', 0, 'done', token)
return redis.status_reply('WRITTEN')
