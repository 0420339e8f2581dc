/* The open runs in memory: random ones beside plain lists, how many bytes one takes, and the bounds
 * of a job and of a shard. */
#include "dispatcher/runs/runs.h"
#include "dispatcher/runs/run_table.h"

#include <inttypes.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/walks.h"

enum {
    JOBS = 12,
    RUNS_MOST = 400,
    STEPS = 5000,
    WALKS = 20,
    MANY = 100000,
    BYTES_MOST = 200,
    INSTANTS = 100000
};

static const uint8_t key[HASH_KEY_BYTES] = "table";

struct plain { /* a run in a plain list */
    bool is_open;
    uint32_t k;
    int64_t ordinal;
    int64_t first_runnumber;
    bool is_orphan;
    enum run_queue_kind queue;
    int64_t at;
};

struct books {
    struct run_table table;
    struct plain list[RUNS_MOST];
    int64_t next_runnumber;
    uint64_t random;
};

static uint64_t draw(struct books *books, uint64_t below)
{
    return walk_draw(&books->random, below);
}

static void id_of(const struct plain *plain, char *text)
{
    snprintf(text, RUN_ID_BYTES_MAX, "1-2.3.%" PRId64 "@%" PRId64, plain->ordinal,
             plain->first_runnumber);
}

static struct text name_of(const struct plain *plain)
{
    static const char *const names[JOBS] = {"a", "b", "c", "d", "e", "f",
                                            "g", "h", "i", "j", "k", "l"};
    return text_of(names[plain->ordinal]);
}

/* ---- steps ---- */

static bool is_used(const struct books *books, uint32_t k)
{
    for (int i = 0; i < RUNS_MOST; i++)
        if (books->list[i].is_open && books->list[i].k == k) return true;
    return false;
}

static void step_open(struct books *books)
{
    struct plain *plain = books->list;
    while (plain < books->list + RUNS_MOST && plain->is_open) plain++;
    if (plain == books->list + RUNS_MOST) return;
    *plain = (struct plain){.is_open = true,
                            .ordinal = (int64_t)draw(books, JOBS),
                            .first_runnumber = books->next_runnumber++,
                            .k = UINT32_MAX};
    uint32_t lowest = 0;
    while (is_used(books, lowest)) lowest++;
    struct run *run = run_table_open(&books->table);
    assert_int_equal(run->k, lowest);
    plain->k = run->k;
    run->ordinal = plain->ordinal;
    run->runnumber = plain->first_runnumber;
    run->nominal_ms = plain->first_runnumber;
    run->incarnation = (struct incarnation){1, 3, (uint32_t)plain->ordinal, 2};
    run->number = 1;
    run_table_link(&books->table, run);
}

static struct plain *draw_open(struct books *books)
{
    size_t at = draw(books, RUNS_MOST);
    for (int i = 0; i < RUNS_MOST; i++, at = (at + 1) % RUNS_MOST)
        if (books->list[at].is_open) return &books->list[at];
    return NULL;
}

static void step_close(struct books *books)
{
    struct plain *plain = draw_open(books);
    if (plain == NULL) return;
    run_table_close(&books->table, run_table_at(&books->table, plain->k));
    plain->is_open = false;
}

static void step_queue(struct books *books)
{
    struct plain *plain = draw_open(books);
    if (plain == NULL) return;
    plain->queue = (enum run_queue_kind)draw(books, RUN_QUEUES);
    plain->at = (int64_t)draw(books, INSTANTS);
    run_table_queue(&books->table, run_table_at(&books->table, plain->k), plain->queue,
                    plain->at);
}

static char *copy_of(struct text text)
{
    char *copy = malloc(text.length + 1);
    assert_non_null(copy);
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    return copy;
}

/* Its job is deleted: it is found by the name then. */
static void step_orphan(struct books *books)
{
    struct plain *plain = draw_open(books);
    if (plain == NULL || plain->is_orphan) return;
    struct run *run = run_table_at(&books->table, plain->k);
    struct run_more *more = run_more(run);
    run_table_unlink(&books->table, run);
    more->group = copy_of(text_of("group"));
    more->id = copy_of(name_of(plain));
    run->flags |= RUN_ORPHAN;
    run_table_link(&books->table, run);
    plain->is_orphan = true;
}

/* ---- checks ---- */

/* The next one of the job in the order of opening. */
static const struct plain *later(const struct books *books, int64_t ordinal, bool is_orphan,
                                 int64_t after)
{
    const struct plain *found = NULL;
    for (int i = 0; i < RUNS_MOST; i++) {
        const struct plain *plain = &books->list[i];
        if (!plain->is_open || plain->ordinal != ordinal || plain->is_orphan != is_orphan ||
            plain->first_runnumber <= after)
            continue;
        if (found == NULL || plain->first_runnumber < found->first_runnumber) found = plain;
    }
    return found;
}

static void check_job(const struct books *books, int64_t ordinal, bool is_orphan)
{
    struct plain job = {.ordinal = ordinal};
    const struct run *run =
        is_orphan ? run_table_of_name(&books->table, text_of("group"), name_of(&job))
                  : run_table_of_job(&books->table, ordinal);
    const struct run *first = run;
    uint16_t count = 0;
    const struct plain *plain = later(books, ordinal, is_orphan, -1);
    for (; plain != NULL; count++) {
        assert_non_null(run);
        assert_int_equal(run->k, plain->k);
        run = run_table_next(&books->table, run);
        plain = later(books, ordinal, is_orphan, plain->first_runnumber);
    }
    assert_null(run);
    if (first != NULL) assert_int_equal(first->ring_count, count);
}

static void check_queue(const struct books *books, enum run_queue_kind queue)
{
    const struct plain *first = NULL;
    for (int i = 0; i < RUNS_MOST; i++) {
        const struct plain *plain = &books->list[i];
        if (!plain->is_open || plain->queue != queue) continue;
        if (first == NULL || plain->at < first->at ||
            (plain->at == first->at && plain->first_runnumber < first->first_runnumber))
            first = plain;
    }
    const struct run *run = run_table_first(&books->table, queue);
    assert_int_equal(run == NULL ? UINT32_MAX : run->k, first == NULL ? UINT32_MAX : first->k);
}

static void check(const struct books *books)
{
    uint32_t count = 0;
    for (int i = 0; i < RUNS_MOST; i++) {
        const struct plain *plain = &books->list[i];
        count += plain->is_open;
        if (plain->first_runnumber == 0) continue;
        char id[RUN_ID_BYTES_MAX + 1];
        id_of(plain, id);
        const struct run *run = run_table_find(&books->table, text_of(id));
        if (plain->is_open) assert_int_equal(run->k, plain->k);
        else assert_null(run);
    }
    assert_int_equal(books->table.count, count);
    for (int64_t ordinal = 0; ordinal < JOBS; ordinal++) {
        check_job(books, ordinal, false);
        check_job(books, ordinal, true);
    }
    for (int queue = RUN_QUEUE_RETRY; queue < RUN_QUEUES; queue++)
        check_queue(books, (enum run_queue_kind)queue);
}

/* To the last one, each is the first. */
static void drain(struct books *books, enum run_queue_kind queue)
{
    for (struct run *run; (run = run_table_first(&books->table, queue)) != NULL;) {
        check_queue(books, queue);
        run_table_queue(&books->table, run, RUN_QUEUE_NONE, 0);
        for (int i = 0; i < RUNS_MOST; i++)
            if (books->list[i].is_open && books->list[i].k == run->k)
                books->list[i].queue = RUN_QUEUE_NONE;
    }
    check_queue(books, queue);
}

static void check_random(void **state)
{
    (void)state;
    struct books *books = malloc(sizeof *books);
    assert_non_null(books);
    for (uint64_t walk = 1; walk <= WALKS; walk++) {
        memset(books, 0, sizeof *books);
        books->random = walk * UINT64_C(0x9e3779b97f4a7c15);
        books->next_runnumber = 1;
        run_table_init(&books->table, key);
        for (int i = 0; i < STEPS; i++) {
            uint64_t step = draw(books, 100);
            /* they become many, few, and many again */
            uint64_t opens = i / 1000 % 2 == 0 ? 45 : 15;
            if (step < opens) step_open(books);
            else if (step < 60) step_close(books);
            else if (step < 95) step_queue(books);
            else step_orphan(books);
            if (i % 97 == 0) check(books);
        }
        check(books);
        for (int queue = RUN_QUEUE_RETRY; queue < RUN_QUEUES; queue++)
            drain(books, (enum run_queue_kind)queue);
        run_table_free(&books->table);
    }
    free(books);
}

/* ---- ids ---- */

static const struct {
    struct run_identity identity;
    const char *id;
} ids[] = {
    {{.incarnation = {5, 42, 7, 1}, .nominal_ms = 99, .import = {.effective_ms = -1}},
     "5-1.42.7@99"},
    {{.incarnation = {5, 42, 7, 1},
      .kind = FIRE_TRIGGER,
      .nominal_ms = 99,
      .trigger_id = {"now", 3},
      .import = {.effective_ms = -1}},
     "5-1.42.7@t:now"},
    {{.incarnation = {5, 42, 7, 1},
      .kind = FIRE_BACKFILL,
      .nominal_ms = 99,
      .trigger_id = {"may", 3},
      .import = {.effective_ms = -1}},
     "5-1.42.7@b:may:99"},
    {{.incarnation = {5, 42, 7, 1},
      .kind = FIRE_BACKFILL,
      .nominal_ms = 99,
      .trigger_id = {"may", 3},
      .import = {6, 1, 0, 2}},
     "5-1.42.7@i:6-2.1.0:may:99"},
};

static void check_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[RUN_ID_BYTES_MAX + 1];
        size_t length = run_id_format(&ids[i].identity, text);
        assert_string_equal(text, ids[i].id);
        assert_int_equal(length, strlen(text));
        struct run_identity read;
        char again[RUN_ID_BYTES_MAX + 1];
        assert_true(run_id_parse(text_of(text), &read));
        bool timeless = read.kind == FIRE_TRIGGER;
        assert_int_equal(read.nominal_ms, timeless ? INSTANT_NONE : ids[i].identity.nominal_ms);
        assert_int_equal(run_id_format(&read, again), length);
        assert_string_equal(again, text);
    }
}

/* What no fire has as its id: nothing of it is guessed. */
static void check_no_ids(void **state)
{
    (void)state;
    static const char *const no_ids[] = {
        "", "@", "5-1.42.7", "5-1.42.7@", "@99", "5-1.42@99", "05-1.42.7@99", "5-1.42.7@-1",
        "5-1.42.7@099", "5-1.42.7@9 ", "5-1.42.7@99999999999999999999", "5-1.42.7@t:",
        "5-1.42.7@t", "5-1.42.7@x:9", "5-1.42.7@b:9", "5-1.42.7@b::9", "5-1.42.7@b:may:",
        "5-1.42.7@b:may:09", "5-1.42.7@i:may:9", "5-1.42.7@i:6-2.1.0:9", "5-1.42.7@i:6-2.1.0::9"};
    for (size_t i = 0; i < sizeof no_ids / sizeof no_ids[0]; i++) {
        struct run_identity read;
        if (run_id_parse(text_of(no_ids[i]), &read)) fail_msg("%s", no_ids[i]);
    }
}

/* ---- bytes ---- */

static bool never_full(void *opaque)
{
    (void)opaque;
    return false;
}

static void ignore_changed(void *opaque, const struct run_view *run)
{
    (void)opaque;
    (void)run;
}

static size_t books_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void set_terms(struct run_terms *terms)
{
    run_terms_defaults(terms);
    terms->lease_ms = 5 * MINUTES_MS;
    terms->workers = text_of("nightly-workers");
}

static struct runs *start_runs(uint32_t open_max)
{
    struct runs_config config = {.open_max = open_max, .append_times = true};
    struct runs *runs = runs_create(&config);
    struct runs_start start = {.generation = 1, .epoch = 1, .owner = text_of("me")};
    runs_start(runs, &start);
    return runs;
}

static void open_run(struct runs *runs, int64_t ordinal, const struct runs_sink *sink,
                     struct run_view *view)
{
    struct run_terms terms;
    set_terms(&terms);
    struct run_opening opening = {.ordinal = ordinal,
                                  .incarnation = {1780000000000, 4711, 12, 3},
                                  .nominal_ms = 1780000000000 + ordinal * 10000,
                                  .due_ms = 1780000000000 + ordinal * 10000 + 250,
                                  .terms = &terms};
    runs_open(runs, &opening, (struct runs_now){1780000000000, 0}, sink, view);
}

static void claim_run(struct runs *runs, const struct run_view *view, int64_t offset,
                      const struct runs_sink *sink)
{
    char token[40];
    char worker[40];
    snprintf(token, sizeof token, "01234567-89ab-cdef-0123-%012" PRId64, offset);
    snprintf(worker, sizeof worker, "worker-%" PRId64, offset % 1000);
    struct report report = {.kind = REPORT_STARTED,
                            .run = text_of(view->id),
                            .runnumber = view->record.runnumber,
                            .token = text_of(token),
                            .worker = text_of(worker),
                            .workers = text_of("nightly-workers"),
                            .topic = text_of("belfry.fires")};
    struct runs_place place = {offset, 1780000000000, {1780000000000, offset / 10}};
    runs_report(runs, &place, &report, sink);
}

/* By malloc's books, of a hundred thousand runs of as many jobs: open, and all of them claimed. */
static void check_bytes(void **state)
{
    (void)state;
    struct run_view view;
    const struct runs_sink sink = {.full = never_full, .changed = ignore_changed};
    size_t before = books_bytes();
    struct runs *runs = start_runs(MANY);
    for (int64_t i = 0; i < MANY; i++) open_run(runs, i, &sink, &view);
    double open_bytes = (double)(books_bytes() - before) / MANY;
    for (uint32_t k = 0; k < MANY; k++) {
        assert_true(runs_look(runs, k, &view));
        claim_run(runs, &view, k, &sink);
        /* claims are recorded when they are ten seconds old */
        (void)runs_step(runs, (struct runs_now){1780000000000, k / 10}, &sink);
    }
    (void)runs_step(runs, (struct runs_now){1780000000000, MANY}, &sink);
    double claimed_bytes = (double)(books_bytes() - before) / MANY;
    printf("bytes_per_open_run=%.1f claimed=%.1f\n", open_bytes, claimed_bytes);
    assert_true(open_bytes <= BYTES_MOST && claimed_bytes <= BYTES_MOST);
    runs_destroy(runs);
}

static void check_bounds(void **state)
{
    (void)state;
    struct run_view view;
    const struct runs_sink sink = {.full = never_full, .changed = ignore_changed};
    struct runs *runs = start_runs(RUNS_OF_JOB_MAX + 5);
    for (int i = 0; i < RUNS_OF_JOB_MAX; i++) {
        assert_true(runs_room_of(runs, 1) > 0);
        struct run_terms terms;
        set_terms(&terms);
        struct run_opening opening = {
            .ordinal = 1, .nominal_ms = i, .due_ms = i, .terms = &terms};
        runs_open(runs, &opening, (struct runs_now){0}, &sink, &view);
    }
    assert_int_equal(runs_room_of(runs, 1), 0); /* the job has as many as it may */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(runs_room_of(runs, 2), 5 - i);
        open_run(runs, 2 + i, &sink, &view);
    }
    assert_int_equal(runs_room(runs), 0); /* and the shard */
    struct runs_in_way in_way = runs_in_way(runs, 1, text_of("group"), text_of("id"));
    assert_int_equal(in_way.count, RUNS_OF_JOB_MAX);
    assert_int_equal(in_way.oldest, 0);
    uint32_t count = 0;
    for (uint32_t k = in_way.oldest; k != UINT32_MAX; k = runs_next_in_way(runs, 1, k))
        assert_int_equal(k, count++);
    assert_int_equal(count, RUNS_OF_JOB_MAX);
    runs_destroy(runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_random),
        cmocka_unit_test(check_ids), cmocka_unit_test(check_no_ids),
        cmocka_unit_test(check_bytes),
        cmocka_unit_test(check_bounds),
    };
    return cmocka_run_group_tests_name("run table", tests, NULL, NULL);
}
