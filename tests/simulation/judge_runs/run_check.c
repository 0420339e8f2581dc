/* A history is a few words a line; times are seconds.
 *
 *   fire N id=A try=1 slot=60   in the step under way; without a slot it is a trigger's. The job's
 *                               slots are a minute apart
 *   record K first=N n=N state=open|claimed|waiting ended=N:outcome counted=1 ...   run/<K>
 *   free K                      and its end
 *   failed A outcome            its event
 *   paused A count=2            the job, by that many failures
 *   left first last reason A    an event that leaves out slots, with the run in their way
 *   cancel N                    a request to stop
 *   report T word N id=A group=w    appended, and read, at T
 *   tick T number epoch=1       sent at T, appended 10 ms later
 *   answer T offset, commit T offset    of the coordinator; the fire of all is at offset 5
 *   work N from to id=A limits=0    a program that ran; to 0: it still does
 *   mark T                      ends the step
 *   end T                       the present */
#include "tests/simulation/judge_runs/run_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge_runs/run_cases.h"
#include "tests/simulation/judge_runs/run_judge.h"

enum { TEXTS_MOST = 64, TEXT_BYTES = 400, STEPS_MOST = 64, LEASE_MS = 10000, EXPIRY_MS = 60000,
       SLOTS_MS = 60000 };

struct scene {
    struct world *world;
    struct run_judge judge;
    struct life life;
    int64_t offset; /* of `runs` */
    bool slots;     /* they are judged, too */
    char texts[TEXTS_MOST][TEXT_BYTES];
    size_t text_count;
    size_t outputs[STEPS_MOST + 1]; /* the first of each step */
};

/* ---- a line ---- */

/* name=value; or what is given. */
static const char *word_of(const char *line, const char *name, const char *otherwise, char *to)
{
    char mark[24];
    (void)snprintf(mark, sizeof mark, " %s=", name);
    const char *at = strstr(line, mark);
    (void)snprintf(to, HISTORY_WORD_BYTES, "%s", otherwise);
    if (at != NULL) (void)sscanf(at + strlen(mark), "%23s", to);
    return to;
}

static int64_t number_of(const char *line, const char *name, int64_t otherwise)
{
    char text[HISTORY_WORD_BYTES];
    (void)word_of(line, name, "", text);
    return text[0] == '\0' ? otherwise : strtoll(text, NULL, 10);
}

/* The how many-th number or word behind the first one. */
static const char *part_of(const char *line, int part, char *to)
{
    for (; part > 0 && line != NULL; part--) {
        line = strchr(line, ' ');
        if (line != NULL) line++;
    }
    to[0] = '\0';
    if (line != NULL) (void)sscanf(line, "%23s", to);
    return to;
}

static int64_t part_number(const char *line, int part)
{
    char text[HISTORY_WORD_BYTES];
    return strtoll(part_of(line, part, text), NULL, 10);
}

static int64_t part_ms(const char *line, int part)
{
    char text[HISTORY_WORD_BYTES];
    return (int64_t)(strtod(part_of(line, part, text), NULL) * 1000 + 0.5);
}

/* ---- what it makes ---- */

static struct run_said *add_output(struct scene *scene, enum output_kind kind)
{
    struct history *history = &scene->world->history;
    history->runs = memory_grow(history->runs, &history->run_capacity, history->run_count + 1,
                                sizeof *history->runs);
    history->runs[history->run_count++] = (struct run_said){0};
    history->outputs = memory_grow(history->outputs, &history->output_capacity,
                                   history->output_count + 1, sizeof *history->outputs);
    struct output *output = &history->outputs[history->output_count++];
    *output = (struct output){.kind = kind, .run = (uint32_t)history->run_count, .target = -1};
    (void)snprintf(output->name, sizeof output->name, "r1/1");
    return &history->runs[history->run_count - 1];
}

static void make_fire(struct scene *scene, const char *line)
{
    char id[HISTORY_WORD_BYTES];
    struct run_said *said = add_output(scene, OUTPUT_FIRE);
    struct output *fire = &scene->world->history.outputs[scene->world->history.output_count - 1];
    int64_t at_ms = number_of(line, "at", 0) * 1000;
    fire->from_ms = at_ms;
    fire->at_ms = number_of(line, "slot", 0) * 1000;
    if (fire->at_ms == 0) fire->trigger[0] = 't';
    (void)snprintf(said->id, sizeof said->id, "%s", word_of(line, "id", "A", id));
    (void)snprintf(said->workers, sizeof said->workers, "w");
    said->runnumber = part_number(line, 1);
    said->number = number_of(line, "try", 1);
    said->lease_ms = LEASE_MS;
    said->expiry_ms = at_ms + EXPIRY_MS;
}

static void make_record(struct scene *scene, const char *line)
{
    char ended[HISTORY_WORD_BYTES];
    struct run_said *said = add_output(scene, OUTPUT_RUN);
    said->k = part_number(line, 1);
    said->first_runnumber = number_of(line, "first", 1);
    said->runnumber = number_of(line, "n", said->first_runnumber);
    said->counted = number_of(line, "counted", 1);
    said->released = number_of(line, "released", 0);
    said->lost_in_a_row = number_of(line, "lost", 0);
    said->retry_ms = number_of(line, "retry", 0) * 1000;
    said->ended_ms = number_of(line, "at", 0) * 1000;
    said->cancel_asked = number_of(line, "asked", 0) > 0;
    (void)word_of(line, "state", "open", said->state);
    (void)word_of(line, "ended", "", ended);
    char *colon = strchr(ended, ':');
    if (colon == NULL) return;
    said->ended_runnumber = strtoll(ended, NULL, 10);
    said->ended_released = strcmp(colon + 1, "released") == 0;
    if (!said->ended_released)
        (void)snprintf(said->outcome, sizeof said->outcome, "%s", colon + 1);
}

static void make_paused(struct scene *scene, const char *line)
{
    char id[HISTORY_WORD_BYTES];
    struct run_said *said = add_output(scene, OUTPUT_EVENT);
    struct output *event = &scene->world->history.outputs[scene->world->history.output_count - 1];
    (void)snprintf(event->word, sizeof event->word, "auto_paused");
    event->count = number_of(line, "count", 0);
    (void)snprintf(said->id, sizeof said->id, "%s", part_of(line, 1, id));
}

static void make_left(struct scene *scene, const char *line)
{
    struct run_said *said = add_output(scene, OUTPUT_EVENT);
    struct output *event = &scene->world->history.outputs[scene->world->history.output_count - 1];
    (void)snprintf(event->word, sizeof event->word, "skipped");
    event->first_ms = part_ms(line, 1);
    event->last_ms = part_ms(line, 2);
    event->at_ms = number_of(line, "at", 0) * 1000;
    event->count = 1 + (event->last_ms - event->first_ms) / SLOTS_MS;
    (void)part_of(line, 3, event->reason);
    (void)snprintf(said->id, sizeof said->id, "%.1s", part_of(line, 4, said->state));
    if (said->id[0] == '-') event->run = 0;
}

static void append(struct scene *scene, int64_t at_ms, const char *text)
{
    run_facts_append(&scene->world->facts, 0,
                     &(struct run_appended){.offset = scene->offset,
                                            .time_ms = at_ms,
                                            .at_ms = at_ms,
                                            .text = text_of(text)});
    run_facts_read(&scene->world->facts, 0, scene->offset++, at_ms);
}

static void make_report(struct scene *scene, const char *line)
{
    char word[HISTORY_WORD_BYTES];
    char id[HISTORY_WORD_BYTES];
    char group[HISTORY_WORD_BYTES];
    char *text = scene->texts[scene->text_count++];
    (void)snprintf(text, TEXT_BYTES,
                   "{\"run\":\"%s\",\"runnumber\":\"%lld\",\"report\":\"%s\",\"workers\":\"%s\","
                   "\"topic\":\"fires\",\"partition\":0,\"offset\":5}",
                   word_of(line, "id", "A", id), (long long)part_number(line, 3),
                   part_of(line, 2, word), word_of(line, "group", "w", group));
    append(scene, part_ms(line, 1), text);
}

static void make_tick(struct scene *scene, const char *line)
{
    char *text = scene->texts[scene->text_count++];
    (void)snprintf(text, TEXT_BYTES, "{\"tick\":{\"owner\":\"o\",\"epoch\":%lld,\"number\":%lld}}",
                   (long long)number_of(line, "epoch", 1), (long long)part_number(line, 2));
    if (number_of(line, "unsent", 0) == 0)
        run_facts_tick(&scene->world->facts, 0, part_ms(line, 1), text_of(text));
    append(scene, part_ms(line, 1) + 10, text);
}

static void make_said(struct scene *scene, const char *line, int32_t shard)
{
    struct group_said said = {.shard = shard, .time_ms = part_ms(line, 1),
                              .committed = part_number(line, 2)};
    (void)snprintf(said.group, sizeof said.group, "w");
    (void)snprintf(said.topic, sizeof said.topic, "fires");
    run_facts_said(&scene->world->facts, &said);
}

static void make_work(struct scene *scene, const char *line)
{
    struct work_log *log = &scene->world->work_log;
    log->works = memory_grow(log->works, &log->work_capacity, log->work_count + 1,
                             sizeof *log->works);
    struct work *work = &log->works[log->work_count++];
    *work = (struct work){.runnumber = part_number(line, 1),
                          .started_us = part_ms(line, 2) * 1000,
                          .ended_us = part_ms(line, 3) * 1000,
                          .limits = (unsigned)number_of(line, "limits", 0)};
    work->end = work->ended_us == 0 ? WORK_GOES_ON : WORK_ENDED;
    (void)snprintf(work->job, sizeof work->job, "r1/1");
}

static void make_mark(struct scene *scene, const char *line)
{
    struct history *history = &scene->world->history;
    struct step *step = &history->steps[0][history->step_count[0]++];
    *step = (struct step){.time_ms = part_ms(line, 1), .has_mark = true,
                          .first = scene->outputs[history->step_count[0] - 1]};
    step->mark.epoch = number_of(line, "epoch", 1);
    step->mark.generation = number_of(line, "generation", 0);
    step->mark.watermark_ms = step->time_ms;
    step->mark.ordinal = INT64_MAX;
    step->mark.runs_offset = scene->offset;
    step->count = history->output_count - step->first;
    scene->outputs[history->step_count[0]] = history->output_count;
}

static void make_line(struct scene *scene, const char *line)
{
    char word[HISTORY_WORD_BYTES];
    (void)part_of(line, 0, word);
    if (strcmp(word, "fire") == 0) make_fire(scene, line);
    else if (strcmp(word, "record") == 0) make_record(scene, line);
    else if (strcmp(word, "report") == 0) make_report(scene, line);
    else if (strcmp(word, "paused") == 0) make_paused(scene, line);
    else if (strcmp(word, "left") == 0) make_left(scene, line);
    else if (strcmp(word, "tick") == 0) make_tick(scene, line);
    else if (strcmp(word, "answer") == 0) make_said(scene, line, 0);
    else if (strcmp(word, "commit") == 0) make_said(scene, line, -1);
    else if (strcmp(word, "work") == 0) make_work(scene, line);
    else if (strcmp(word, "mark") == 0) make_mark(scene, line);
    else if (strcmp(word, "end") == 0) scene->world->now_us = part_ms(line, 1) * 1000;
    else if (strcmp(word, "cancel") == 0)
        add_output(scene, OUTPUT_CANCEL)->runnumber = part_number(line, 1);
    else if (strcmp(word, "free") == 0) {
        struct run_said *said = add_output(scene, OUTPUT_RUN);
        said->k = part_number(line, 1);
        said->free = true;
    } else if (strcmp(word, "failed") == 0) {
        struct run_said *said = add_output(scene, OUTPUT_RUN_LETTER);
        char id[HISTORY_WORD_BYTES];
        (void)snprintf(said->id, sizeof said->id, "%s", part_of(line, 1, id));
        (void)part_of(line, 2, said->outcome);
    }
}

/* ---- a case ---- */

static void play_steps(struct scene *scene)
{
    const struct history *history = &scene->world->history;
    for (size_t i = 0; i < history->step_count[0]; i++) {
        const struct step *step = &history->steps[0][i];
        for (size_t j = 0; j < step->count; j++)
            run_judge_output(&scene->judge, &history->outputs[step->first + j], &scene->life);
        run_judge_step(&scene->judge, step);
    }
}

static void open_scene(struct scene *scene, const struct run_case *one)
{
    scene->world = memory_allocate(1, sizeof *scene->world);
    scene->world->settings.shards = 1;
    struct history *history = &scene->world->history;
    history->step_capacity[0] = STEPS_MOST;
    history->steps[0] = memory_allocate(STEPS_MOST, sizeof *history->steps[0]);
    wanted_runs_defaults(&scene->life.wanted.runs);
    scene->life.there = true;
    scene->life.touched_ms = NEVER_MS;
    scene->life.paused_ms = NEVER_MS;
    scene->life.wanted.runs.lease_ms = LEASE_MS;
    scene->life.wanted.runs.attempts = one->attempts;
    scene->life.wanted.runs.overlap = one->overlap;
    scene->life.wanted.runs.overlap_limit = 1;
    scene->life.wanted.runs.pause_after = 2;
    scene->life.wanted.grace_ms = 30000;
    scene->life.wanted.start_ms = NEVER_MS;
    scene->life.wanted.end_ms = ALWAYS_MS;
    scene->life.wanted.schedule = (struct slow_schedule){.kind = SLOW_EVERY, .every_ms = SLOTS_MS};
    scene->life.finished_ms = NEVER_MS;
    (void)snprintf(scene->life.name, sizeof scene->life.name, "r1/1");
    scene->slots = strstr(one->history, "slot=") != NULL;
    if (scene->slots) scene->life.touched_ms = 0;
}

static bool judge_case(const struct run_case *one)
{
    struct scene *scene = memory_allocate(1, sizeof *scene);
    open_scene(scene, one);
    char line[TEXT_BYTES];
    for (const char *at = one->history; *at != '\0';) {
        size_t length = strcspn(at, ";");
        (void)snprintf(line, sizeof line, "%.*s", (int)length, at);
        make_line(scene, line + strspn(line, " "));
        at += length + (at[length] == ';');
    }
    run_judge_open(&scene->judge, scene->world, 0);
    play_steps(scene);
    run_judge_end(&scene->judge);
    if (scene->slots) run_slots_judge(&scene->judge, &scene->life);
    const struct world *world = scene->world;
    const char *said = world->violation_count > 0 ? world->violations[0] : "";
    bool good = one->alarm == NULL && said[0] == '\0';
    for (int i = 0; i < world->violation_count && one->alarm != NULL; i++)
        good = good || strstr(world->violations[i], one->alarm) != NULL;
    if (!good)
        (void)fprintf(stderr, "simulate: judge of runs: %s: it says '%s', not '%s'\n", one->name,
                      said, one->alarm == NULL ? "" : one->alarm);
    run_judge_close(&scene->judge);
    free(scene->world->history.outputs);
    free(scene->world->history.runs);
    free(scene->world->history.steps[0]);
    free(scene->world->work_log.works);
    run_facts_close(&scene->world->facts);
    free(scene->world);
    free(scene);
    return good;
}

int run_check(void)
{
    int failures = 0;
    for (const struct run_case *one = run_cases; one->name != NULL; one++)
        failures += !judge_case(one);
    return failures;
}
