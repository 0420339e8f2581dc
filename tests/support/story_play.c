#include "tests/support/story_play.h"

#include <stdio.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "schemas/mark_json.h"
#include "tests/support/shard_rig.h"

struct way {
    const char *words;
    bool restarts;
    bool cuts;
};
static const struct way ways[] = {{"", false, false},
                                  {", restarted after each transaction", true, false},
                                  {", in transactions of one output", false, true},
                                  {", restarted, in transactions of one output", true, true}};

struct play {
    const struct story *story;
    const struct story_step *step;
    const struct way *way;
    struct shard_rig rig;
    struct text_writer *fault;
};

/* ---- what is wrong ---- */

static bool complain(struct play *play, const char *words)
{
    text_writer_format(play->fault, "%s:%d: %s%s: %s\n", play->story->file, play->step->line,
                       play->story->name, play->way->words, words);
    return false;
}

static size_t line_bytes(const char *text)
{
    size_t length = strcspn(text, "\n");
    return length + (text[length] == '\n');
}

static size_t same_lines(const char *left, const char *right)
{
    size_t same = 0;
    while (left[same] != '\0') {
        size_t length = line_bytes(left + same);
        if (strncmp(left + same, right + same, length) != 0) break;
        same += length;
    }
    return same;
}

static bool begins_line(const char *text, size_t at)
{
    return at == 0 || text[at - 1] == '\n';
}

/* Bytes of the whole lines with which both end. */
static size_t same_end(const char *left, const char *right)
{
    size_t left_bytes = strlen(left);
    size_t right_bytes = strlen(right);
    size_t same = 0;
    while (same < left_bytes && same < right_bytes &&
           left[left_bytes - same - 1] == right[right_bytes - same - 1])
        same++;
    while (same > 0 && (!begins_line(left, left_bytes - same) ||
                        !begins_line(right, right_bytes - same)))
        same--;
    return same;
}

static void write_lines(struct text_writer *writer, const char *mark, const char *text,
                        size_t bytes)
{
    for (const char *end = text + bytes; text < end; text += line_bytes(text)) {
        text_writer_words(writer, mark);
        text_writer_raw(writer, (struct text){text, line_bytes(text)});
    }
}

/* Between the lines with which both begin and end: what is expected, and what was said. */
static bool compare(struct play *play, const char *said)
{
    const char *expected = play->step->expected;
    if (strcmp(said, expected) == 0) return true;
    size_t begin = same_lines(expected, said);
    size_t end = same_end(expected + begin, said + begin);
    size_t expected_bytes = strlen(expected) - end;
    (void)complain(play, "expected (-) and said (+) differ");
    write_lines(play->fault, "    ", expected, begin);
    write_lines(play->fault, "  - ", expected + begin, expected_bytes - begin);
    write_lines(play->fault, "  + ", said + begin, strlen(said) - end - begin);
    write_lines(play->fault, "    ", expected + expected_bytes, end);
    return false;
}

/* ---- steps ---- */

static const struct job *find_job(struct play *play)
{
    const char *name = play->step->name;
    const char *slash = strchr(name, '/');
    if (slash == NULL) return NULL;
    return shard_find(play->rig.shard, (struct text){name, (size_t)(slash - name)},
                      text_of(slash + 1));
}

static bool find_kind(const char *word, enum fire_kind *kind)
{
#define NUMBER(name, word) FIRE_##name,
    static const enum fire_kind kinds[] = {FIRE_KINDS(NUMBER)};
#undef NUMBER
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        *kind = kinds[i];
        if (strcmp(fire_kind_name(*kind), word) == 0) return true;
    }
    return false;
}

/* Fires fail before the transaction that has them ends: there is no restart in between. */
static bool failures_follow(const struct play *play)
{
    const struct story_step *next = play->step + 1;
    return next < play->story->steps + play->story->step_count && next->verb == STORY_FAILED;
}

static bool fail_fire(struct play *play)
{
    const struct story_step *step = play->step;
    const struct job *job = find_job(play);
    struct sink sink = rig_test_sink(&play->rig);
    enum fire_kind kind = FIRE_SCHEDULE;
    bool is_requeued = strcmp(step->kind, "requeued") == 0;
    if (job == NULL) return complain(play, "there is no such job");
    if (!is_requeued && !find_kind(step->kind, &kind))
        return complain(play, "there is no such kind of fire");
    struct failed_fire failed = {.slot = job->slot,
                                 .incarnation = job->life.incarnation,
                                 .kind = kind,
                                 .nominal_ms = rig_instant(step->slot),
                                 .due_ms = rig_instant(step->slot),
                                 .attempt = step->number,
                                 .reason = REASON_TOPIC_MISSING,
                                 .is_requeued = is_requeued};
    if (play->story->options.follows_runs)
        failed.run_number = 1LL << 32 | rig_run_of(&play->rig, step->name);
    if (step->backfill != NULL)
        (void)snprintf(failed.backfill_id, sizeof failed.backfill_id, "%s", step->backfill);
    shard_fire_failed(play->rig.shard, &failed, rig_instant(step->at), &sink);
    if (!failures_follow(play)) rig_test_commit(&play->rig);
    return true;
}

static enum retry_turn answer_alone(void *opaque, const struct job *job)
{
    (void)opaque;
    (void)job;
    return RETRY_ALONE;
}

static enum retry_turn answer_later(void *opaque, const struct job *job)
{
    (void)opaque;
    (void)job;
    return RETRY_LATER;
}

static bool retry(struct play *play)
{
    struct sink sink = rig_test_sink(&play->rig);
    const char *answer = play->step->kind;
    if (strcmp(answer, "alone") == 0) sink.retry = answer_alone;
    else if (strcmp(answer, "later") == 0) sink.retry = answer_later;
    else if (*answer != '\0') return complain(play, "there is no such answer to a retry");
    if (!shard_retry(play->rig.shard, rig_instant(play->step->at), &sink))
        text_writer_words(&play->rig.log, "nothing is tried\n");
    rig_test_commit(&play->rig);
    return true;
}

static void restart(struct play *play)
{
    struct shard_rig *rig = &play->rig;
    rig->lacks_zones = play->step->without_zones;
    if (play->step->at != NULL) rig->mark.watermark.instant_ms = rig_instant(play->step->at);
    if (play->step->other_zone_data) rig->mark.tz_changed_ms = rig->mark.watermark.instant_ms;
    rig_restart(rig);
}

static void run_lane(struct play *play)
{
    struct sink sink = rig_test_sink(&play->rig);
    shard_run_lane(play->rig.shard, rig_instant(play->step->at), &sink);
    if (!failures_follow(play)) rig_test_commit(&play->rig);
}

static bool check_words(struct play *play, const char *text)
{
    if (text == NULL) return complain(play, "there is no record");
    bool has = strstr(text, play->step->text) != NULL;
    return has == (play->step->verb == STORY_HAS) || complain(play, text);
}

static bool check_mark(struct play *play)
{
    struct text_writer mark;
    text_writer_init(&mark);
    mark_encode(&mark, &play->rig.mark);
    bool good = check_words(play, text_writer_terminated(&mark));
    text_writer_free(&mark);
    return good;
}

static bool check_record(struct play *play)
{
    const char *name = play->step->name;
    if (name == NULL) return check_mark(play);
    if (play->step->verb != STORY_GONE) return check_words(play, rig_record(&play->rig, name));
    return rig_record(&play->rig, name) == NULL || complain(play, "there is a record");
}

static bool check_failing(struct play *play)
{
    struct shard_counts counts;
    char words[64];
    shard_count(play->rig.shard, &counts);
    if (counts.failing == (size_t)play->step->number) return true;
    (void)snprintf(words, sizeof words, "%zu jobs are failing", counts.failing);
    return complain(play, words);
}

/* Behind a command, and when time has passed, the open runs are looked at. */
static void pass(struct play *play, const char *now)
{
    if (play->story->options.follows_runs) rig_step_runs(&play->rig, now);
    else rig_advance(&play->rig, now);
}

static bool report(struct play *play)
{
    const struct story_step *step = play->step;
    enum report_kind kind;
    enum run_outcome outcome;
    int64_t run = rig_run_of(&play->rig, step->name);
    if (run == 0) return complain(play, "no try of the job is out");
    if (!report_find(text_of(step->kind), &kind, &outcome))
        return complain(play, "there is no such report");
    rig_report_of(&play->rig, run, step->at, step->kind);
    rig_step_runs(&play->rig, step->at);
    return true;
}

static bool take_step(struct play *play)
{
    const struct story_step *step = play->step;
    struct shard_rig *rig = &play->rig;
    switch (step->verb) {
    case STORY_COMMAND:
        rig_command(rig, step->at, step->now, step->text);
        if (play->story->options.follows_runs)
            rig_step_runs(rig, step->now == NULL ? step->at : step->now);
        return true;
    case STORY_PASSES:
        pass(play, step->at);
        return true;
    case STORY_REPORT:
        return report(play);
    case STORY_RESTART:
        restart(play);
        return true;
    case STORY_FAILED:
        return fail_fire(play);
    case STORY_RETRY:
        return retry(play);
    case STORY_LANE:
        run_lane(play);
        return true;
    case STORY_BECOMES:
        rig_set_record(rig, step->name, step->text);
        return true;
    case STORY_FAILING:
        return check_failing(play);
    default:
        return check_record(play);
    }
}

/* ---- stories ---- */

static bool play_way(const struct story *story, const struct way *way, struct text_writer *fault)
{
    struct play play = {.story = story, .way = way, .fault = fault};
    bool good = true;
    rig_open(&play.rig, story->options.begins);
    play.rig.tells_more = true;
    play.rig.tells_ids = story->options.tells_ids;
    play.rig.allows_topics = story->options.allows_topics;
    play.rig.allows_runs = story->options.follows_runs;
    play.rig.tells_tries = story->options.follows_runs;
    play.rig.batch_max = way->cuts ? 1 : story->options.outputs;
    for (size_t i = 0; good && i < story->step_count; i++) {
        play.step = &story->steps[i];
        play.rig.restart_always = way->restarts && !failures_follow(&play);
        good = take_step(&play) && compare(&play, rig_said(&play.rig));
    }
    rig_close(&play.rig);
    return good;
}

int story_play(const struct story *story, struct text_writer *fault)
{
    int played = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (ways[i].restarts && story->options.not_restarted != NULL) continue;
        if (ways[i].cuts && story->options.not_cut != NULL) continue;
        if (!play_way(story, &ways[i], fault)) return 0;
        played++;
    }
    return played;
}
