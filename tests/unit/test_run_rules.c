/* What ends a try, and what follows: a table of (terms, steps) -> what is said, and how it stands.
 *
 * Steps, in words:
 *   fire            a slot of the job fires: a run opens
 *   +9 +0.5         seconds pass by both clocks
 *   A:running       worker A reports; of the newest try; A:running#1 of try 1, A:running#1001 of a
 *                   try that there never was; A:running! in the name of another consumer group,
 *                   A:running@-3 appended 3 s before now
 *   A:failure=2     with exit code 2;  A:failure^7 with retry_after 7 s;  A:running<c with cursor c
 *   ask             what is to be asked is asked: `asks` is said, or nothing is asked
 *   yes no          the answer to it: committed or not;  late-no to the question before it
 *   tick back       a tick is sent if one is wanted (`tick` is said, else `no-tick`); the newest
 *                   is read back;  back@-3 appended 3 s before now;  back1 that number
 *   foreign         a tick of another owner is read
 *   step            what is due is done
 *   pause resume delete cancel drop(s the lease) lost (reports) over (another owner takes over)
 *   unfire          the newest fire could not be produced
 *   committed       what has gone out is in Kafka
 *   anew            another owner takes over with a new generation
 *   no-times        the log has no append times
 * What is said: record, fire<try>, ended:<outcome>, with ! where it failed, withdrawn, doubled,
 * late, unknown, cancel, zombie. At the end state, number and counted tries of the oldest open run,
 * or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"
#include "tests/support/runs_rig.h"

enum { SAID_BYTES = 2048, TRIES = 256, QUESTIONS = 8 };

struct rule_row {
    const char *name;
    const char *terms; /* of the job, see set_terms() */
    const char *steps;
    const char *said;
};

static const struct rule_row rule_rows[] = {
    /* ---- the way of a run ---- */
    {"a run that succeeds is two records", "", "fire +1 A:started +3 A:running +2 A:success step",
     "record ended:success | none"},
    {"a claim is recorded when it is ten seconds old", "",
     "fire +1 A:started +9.9 step A:running +0.1 step +30 step",
     "record record | claimed 1 1"},
    {"an end needs no sign before it", "", "fire A:failure step", "record record | waiting 1 1"},
    {"what does not retry ends", "attempts=1", "fire A:started A:failure",
     "record ended:failure! | none"},
    {"cancelled is no failure", "", "fire A:started A:cancelled", "record ended:cancelled | none"},
    {"an outcome that is not in the list", "on=not_started", "fire A:started A:timeout",
     "record ended:timeout! | none"},
    {"a doubled end is counted, and nothing else", "attempts=1",
     "fire A:started A:success A:success A:success", "record ended:success | none"},

    /* ---- claims ---- */
    {"a claim at the expiry is nothing", "", "fire A:started@100 +101 tick back",
     "record tick record | waiting 1 1"},
    {"a claim just before it counts", "", "fire +100 A:started@-0.001 +2 tick back",
     "record no-tick | claimed 1 1"},
    {"another group claims nothing", "", "fire A:started! A:success! A:running!",
     "record | open 1 1"},
    {"a running without a started is a claim", "", "fire A:running +70 ask tick back",
     "record tick record | waiting 1 1"},
    {"the newest started counts", "", "fire A:started +50 B:started +20 ask +41 ask yes tick back",
     "record asks tick record | waiting 1 1"},
    {"two that run are one event", "",
     "fire A:started A:running B:started B:running A:running B:running",
     "record doubled | claimed 1 1"},
    {"two that started are none", "", "fire A:started B:started B:running B:running",
     "record | claimed 1 1"},
    {"what runs keeps the try from a later started", "",
     "fire A:started A:running B:started A:running", "record | claimed 1 1"},

    /* ---- lost ---- */
    {"lost: lease and a second, committed, and a tick", "",
     "fire A:started +60.9 ask tick +0.1 ask tick yes tick back +13 step",
     "record no-tick asks no-tick tick record fire2 record | open 2 2"},
    {"a tick that was sent before the answer does not count", "",
     "fire fire A:running#1 B:started#2 +61 ask tick yes back back1 tick +1 tick back2",
     "record record asks tick record no-tick tick record | waiting 1 1"},
    {"a sign before the tick saves it", "",
     "fire A:started +61 ask yes tick A:running back +59 ask",
     "record asks tick | claimed 1 1"},
    {"a final report before the tick ends it", "",
     "fire A:started +61 ask yes tick A:success back", "record asks tick ended:success | none"},
    {"running proves the commit: nobody is asked", "",
     "fire A:started +20 A:running +61 ask tick back",
     "record tick record | waiting 1 1"},
    {"ticks of others count for nothing", "", "fire A:running +61 ask tick foreign",
     "record tick | claimed 1 1"},
    {"a tick a second", "", "fire A:running +61 ask tick tick +0.9 tick +0.1 tick",
     "record tick no-tick no-tick tick | claimed 1 1"},
    {"not committed: it is asked again after 1, 2, 4 s", "within=1000",
     "fire A:started +61 ask no +0.9 ask +0.1 ask no +1.9 ask +0.1 ask +3.9 ask +0.1 ask tick",
     "record asks asks asks asks no-tick | claimed 1 1"},
    {"an answer that comes too late is asked for again", "within=1000",
     "fire A:started +61 ask +1 ask yes tick back", "record asks asks tick record | waiting 1 1"},
    {"an old answer says nothing about a new silence", "within=1000",
     "fire A:started +61 ask A:started yes tick +61 ask", "record asks no-tick asks | claimed 1 1"},
    {"nor when it is asked about again", "",
     "fire A:started +61 ask A:started +61 ask late-no tick",
     "record asks asks no-tick | claimed 1 1"},
    {"no answer until the expiry: lost", "on=not_started",
     "fire A:started +61 ask +41 ask tick back", "record asks tick ended:lost! | none"},
    {"not committed at the expiry: not_started", "on=not_started",
     "fire A:started +61 ask no +41 ask tick back +13 step",
     "record asks tick record fire2 record | open 2 2"},
    {"a lease that ends behind the expiry is asked for once", "on=not_started",
     "fire +99 A:started +61 ask no tick back", "record asks tick record | waiting 1 1"},
    {"a tick that is too early by the log's clock waits for another", "",
     "fire A:started +61 ask no +41 ask tick back@-2 +1 tick back",
     "record asks tick tick record | waiting 1 1"},
    {"a lost_lease ends it, and goes with lost", "", "fire A:started +50 A:lost_lease",
     "record record | waiting 1 1"},

    /* ---- not started ---- */
    {"nobody claims it", "", "fire +100.9 tick +0.1 tick back",
     "record no-tick tick record | waiting 1 1"},
    {"a tick from before the expiry says nothing", "", "fire +101 tick back@-0.001 +1 tick back",
     "record tick tick record | waiting 1 1"},
    {"start_within counts from the commit of each try", "",
     "fire +101 tick back +13 step +100 tick +1 tick back",
     "record tick record fire2 record no-tick tick record | waiting 2 2"},
    {"without append times it is an hour", "no-times=1",
     "no-times fire +3600 tick +1 tick back", "record no-tick tick record | waiting 1 1"},

    /* ---- retries ---- */
    {"not before its delay", "", "fire A:failure +10 step +2.6 step",
     "record record fire2 record | open 2 2"},
    {"the second waits twice as long", "",
     "fire A:failure +13 step A:failure +20 step +5.1 step",
     "record record fire2 record record fire3 record | open 3 3"},
    {"exhausted", "", "fire A:failure +13 step A:failure +26 step A:refused",
     "record record fire2 record record fire3 record ended:refused! | none"},
    {"retry_after is the delay", "", "fire A:failure^7 +6.9 step +0.1 step",
     "record record fire2 record | open 2 2"},
    {"at once is in the same step", "", "fire A:failure^0", "record fire2 record | open 2 2"},
    {"an exit code that is not worth another try", "exit=2",
     "fire A:failure=1 +13 step A:failure=2",
     "record record fire2 record ended:failure! | none"},
    {"within: a retry that would be later", "span=20", "fire A:failure +13 step A:failure",
     "record record fire2 record ended:failure! | none"},
    {"within: a retry that has become later", "span=20",
     "fire A:failure pause +13 step +8 resume step",
     "record record ended:failure! | none"},
    {"a paused job's waits", "", "fire A:failure pause +100 step +100 step resume step",
     "record record fire2 record | open 2 2"},
    {"a late success is told once, while its run is open", "",
     "fire A:running +61 ask tick back A:success#1 A:success#1 +13 step B:success A:success#1",
     "record tick record late fire2 record ended:success | none"},
    {"a late success of what failed is none", "", "fire A:failure A:success#1",
     "record record | waiting 1 1"},

    {"a first fire that could not be produced is no run", "", "fire unfire over",
     "record withdrawn | none"},
    {"that of a retry goes out a second later", "",
     "fire A:failure +13 step unfire over A:success#2 +0.9 step +0.1 step A:success",
     "record record fire2 record record unknown fire2 record ended:success | none"},

    /* ---- poison ---- */
    {"two silent ones in a row", "poison=2",
     "fire A:running +61 ask tick back +13 step A:running +61 ask tick back",
     "record tick record fire2 record tick ended:poison! | none"},
    {"another outcome between them", "poison=2 attempts=9",
     "fire A:running +61 ask tick back +13 step A:failure +26 step A:running +61 ask tick back",
     "record tick record fire2 record record fire3 record tick record | waiting 3 3"},
    {"a release between them does not count", "poison=2",
     "fire A:running +61 ask tick back +13 step A:released A:running +61 ask tick back",
     "record tick record fire2 record fire3 record tick ended:poison! | none"},
    {"a late lost_lease shows that the worker lived", "poison=2",
     "fire A:running +61 ask tick back +13 step A:lost_lease#1 A:running +61 ask tick back",
     "record tick record fire2 record record tick record | waiting 2 2"},
    {"but not those behind it", "poison=3 attempts=9",
     "fire A:running +61 ask tick back +13 step A:running +61 ask tick back A:lost_lease#1 "
     "+26 step A:running +61 ask tick back +52 step A:running +61 ask tick back",
     "record tick record fire2 record tick record record fire3 record tick record fire4 record "
     "tick ended:poison! | none"},
    {"nor those before it", "poison=3 attempts=9",
     "fire A:running +61 ask tick back +13 step A:failure +26 step A:running +61 ask tick back "
     "A:lost_lease#1 +52 step A:running +61 ask tick back",
     "record tick record fire2 record record fire3 record tick record fire4 record tick record "
     "| waiting 4 4"},
    {"and that of another group nothing", "poison=2",
     "fire A:running +61 ask tick back +13 step A:lost_lease#1! A:running +61 ask tick back",
     "record tick record fire2 record tick ended:poison! | none"},

    /* ---- released ---- */
    {"the first time at once, and it does not count", "attempts=1", "fire A:started A:released",
     "record fire2 record | open 2 1"},
    {"then after one second, then two", "attempts=1",
     "fire A:released A:released +0.9 step +0.1 step A:released +1.9 step +0.1 step",
     "record fire2 record record fire3 record record fire4 record | open 4 1"},

    /* ---- stopping ---- */
    {"asked at once, and at each sign ten seconds later", "",
     "fire A:started cancel +5 A:running +5 A:running +9 A:running +1 A:running",
     "record cancel record cancel cancel | claimed 1 1"},
    {"what is asked to stop is not tried again", "", "fire A:started cancel A:failure",
     "record cancel record ended:failure | none"},
    {"nor when it is handed back", "", "fire A:started cancel A:released",
     "record cancel record ended:cancelled | none"},
    {"what waits ends", "", "fire A:failure cancel", "record record ended:cancelled | none"},
    {"an unclaimed try may be claimed yet", "", "fire cancel +11 A:started",
     "record cancel record cancel | claimed 1 1"},

    /* ---- jobs ---- */
    {"a deleted job's try is followed to its end", "", "fire A:started delete +10 step A:failure",
     "record record ended:failure! | none"},
    {"and found lost", "", "fire A:running delete +61 ask tick back",
     "record tick ended:lost! | none"},
    {"a deleted job's retry is none: it ends as it was", "", "fire A:failure delete",
     "record record ended:failure! | none"},
    {"what was handed back only has not ended otherwise", "", "fire A:released A:released delete",
     "record fire2 record record ended:cancelled | none"},
    {"handed back when the job is gone", "", "fire A:failure +13 step delete A:released",
     "record record fire2 record ended:failure! | none"},
    {"a job without a lease any more retries no more", "", "fire A:started drop A:failure",
     "record ended:failure! | none"},
    {"but for what waits: by the terms it had", "", "fire A:failure drop +13 step A:success",
     "record record fire2 record ended:success | none"},

    /* ---- strangers ---- */
    {"a try that there never was", "", "fire A:success#1001", "record unknown | open 1 1"},
    {"a closed try that shows life is asked to stop", "",
     "fire A:failure A:running#1 +9 A:running#1 +1 A:running#1",
     "record record zombie zombie | waiting 1 1"},
    {"also of a run that is over", "", "fire A:success A:running#1 A:success#1",
     "record ended:success zombie | none"},

    /* ---- fixed leases ---- */
    {"fixed: no claim, no sign, only the end", "fixed",
     "fire +30 A:started +20 A:running +11 ask tick back",
     "record tick record | waiting 1 1"},
    {"fixed: the end", "fixed", "fire +59 A:success", "record ended:success | none"},
    {"fixed: its time counts from the commit", "fixed",
     "fire +9 committed +60 ask tick +2 ask tick back",
     "record no-tick tick record | waiting 1 1"},
    {"fixed: that of an earlier try is no matter", "fixed",
     "fire A:failure committed +13 step committed +62 ask tick back",
     "record record fire2 record tick record | waiting 2 2"},

    /* ---- cursors ---- */
    {"a cursor is kept at most once a minute", "",
     "fire A:started A:running<a +20 A:running<b +40 A:running<c",
     "record record record | claimed 1 1"},

    /* ---- owners ---- */
    {"a lease begins anew", "", "fire A:started +30 step over +60 ask +1 ask",
     "record record asks | claimed 1 1"},
    {"a claim that was not recorded is read again", "", "fire A:started over +61 ask yes tick back",
     "record asks tick record | waiting 1 1"},
    {"an end is not", "", "fire A:started over A:failure over +13 step",
     "record record fire2 record | open 2 2"},
    {"nor is what was no try's", "", "fire A:started A:success#1001 over",
     "record unknown | claimed 1 1"},
    {"one that waits goes on", "", "fire A:failure +5 over +8 step",
     "record record fire2 record | open 2 2"},
    {"a paused one's retry waits for the next owner too", "",
     "fire A:failure pause +13 step over step +5 step resume step",
     "record record fire2 record | open 2 2"},
    {"one that nobody claimed expires", "", "fire +90 over +11 tick back",
     "record tick record | waiting 1 1"},
    {"who is asked to stop is asked again", "", "fire A:started +10 step cancel over A:running",
     "record record cancel record cancel | claimed 1 1"},
    {"a tick of the earlier owner", "",
     "fire A:running +61 ask tick over back foreign +61 ask tick back",
     "record tick tick record | waiting 1 1"},
    {"a new generation ends what is out", "poison=1", "fire A:running anew step +13 step",
     "record record fire2 record | open 2 2"},
    {"and leaves what waits", "", "fire A:failure anew step", "record record | waiting 1 1"},
    {"reports were lost: it may have been claimed", "",
     "fire +90 lost +11 tick ask +50 ask tick back",
     "record record no-tick tick record | waiting 1 1"},
    {"of which the next owner knows", "", "fire +90 lost over +11 tick +50 ask tick back",
     "record record no-tick tick record | waiting 1 1"},
    {"which proves nothing to the next owner", "within=1000",
     "fire A:started +5 lost +5 step over +61 ask", "record record asks | claimed 1 1"},
    {"reports were lost: leases begin anew", "",
     "fire A:running +50 lost +60 ask tick +1 ask tick back",
     "record no-tick tick record | waiting 1 1"},
};

struct desk {
    struct runs_rig rig;
    struct run_view run;           /* the newest one that was fired */
    int64_t runnumbers[TRIES];     /* of the tries, in order */
    int64_t try_count;
    struct run_question question;
    struct run_question earlier;
    char said[SAID_BYTES];
};

static void say(struct desk *desk, const char *word)
{
    size_t length = strlen(desk->said);
    int more = snprintf(desk->said + length, SAID_BYTES - length, "%s%s", length > 0 ? " " : "",
                        word);
    assert_true(more > 0 && length + (size_t)more < SAID_BYTES);
}

static void hear(void *opaque, const struct rig_heard *heard)
{
    static const char *const words[] = {
        [RIG_CHANGED] = "record", [RIG_DOUBLED] = "doubled", [RIG_LATE] = "late",
        [RIG_UNKNOWN] = "unknown", [RIG_CANCEL] = "cancel",  [RIG_ZOMBIE] = "zombie",
        [RIG_WITHDRAWN] = "withdrawn"};
    struct desk *desk = opaque;
    char word[64];
    if (heard->word == RIG_FIRE) {
        snprintf(word, sizeof word, "fire%d", heard->run->record.number);
        desk->runnumbers[desk->try_count++] = heard->run->record.runnumber;
    } else if (heard->word == RIG_ENDED) {
        snprintf(word, sizeof word, "ended:%s%s", run_outcome_word(heard->end->outcome),
                 heard->end->is_failed ? "!" : "");
    } else {
        snprintf(word, sizeof word, "%s", words[heard->word]);
    }
    say(desk, word);
}

static int64_t read_ms(const char **at)
{
    char *end = NULL;
    double seconds = strtod(*at, &end);
    if (end == *at) fail_msg("no number: %s", *at);
    *at = end;
    return (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
}

static bool took(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0) return false;
    *at += length;
    return true;
}

static void set_terms(struct run_terms *terms, const char *text)
{
    for (const char *at = text; *at != '\0';) {
        if (took(&at, " ")) continue;
        if (took(&at, "attempts=")) terms->retry.attempts = (int32_t)read_ms(&at) / 1000;
        else if (took(&at, "poison=")) terms->retry.poison_after = (int32_t)read_ms(&at) / 1000;
        else if (took(&at, "within=")) terms->start_within_ms = read_ms(&at);
        else if (took(&at, "span=")) terms->retry.within_ms = read_ms(&at);
        else if (took(&at, "no-times=")) (void)read_ms(&at);
        else if (took(&at, "fixed")) terms->mode = LEASE_FIXED;
        else if (took(&at, "on=not_started")) terms->retry.on = 1U << RUN_NOT_STARTED;
        else if (took(&at, "exit=")) {
            terms->retry.not_on_exit_count = 1;
            terms->retry.not_on_exit[0] = (uint8_t)(read_ms(&at) / 1000);
        } else fail_msg("no term: %s", at);
    }
}

/* ---- steps ---- */

static void read_options(struct desk *desk, const char *at, struct report *report,
                         int64_t *log_ms)
{
    while (*at != '\0') {
        if (took(&at, "#")) {
            int64_t number = read_ms(&at) / 1000;
            report->runnumber = number > TRIES ? desk->runnumbers[0] + number
                                               : desk->runnumbers[number - 1];
        } else if (took(&at, "!")) report->workers = text_of("others");
        else if (took(&at, "@")) *log_ms += read_ms(&at);
        else if (took(&at, "=")) report->exit_code = (int32_t)read_ms(&at) / 1000;
        else if (took(&at, "^")) report->retry_after_ms = read_ms(&at);
        else if (took(&at, "<")) {
            report->cursor_given = true;
            report->cursor = text_of(at);
            return;
        } else fail_msg("no option: %s", at);
    }
}

static void report(struct desk *desk, const char *step)
{
    const char *word = step + 2;
    size_t length = strcspn(word, "#!@=^<");
    struct report report = {.run = text_of(desk->run.id),
                            .runnumber = desk->runnumbers[desk->try_count - 1],
                            .token = {step, 1},
                            .worker = {step, 1},
                            .workers = text_of("crew"),
                            .topic = text_of("work"),
                            .partition = 3,
                            .offset = 1000,
                            .exit_code = -1,
                            .retry_after_ms = -1};
    if (!report_find((struct text){word, length}, &report.kind, &report.outcome))
        fail_msg("no report: %s", step);
    int64_t log_ms = desk->rig.now.now_ms;
    read_options(desk, word + length, &report, &log_ms);
    struct run_view view; /* a try of another run is named by the number of its try */
    for (uint32_t k = 0; k < runs_top(desk->rig.runs); k++)
        if (runs_look(desk->rig.runs, k, &view) && view.record.runnumber == report.runnumber)
            desk->run = view;
    report.run = text_of(desk->run.id);
    runs_rig_report(&desk->rig, &report, log_ms);
}

static void step_fire(struct desk *desk)
{
    runs_rig_fire(&desk->rig, 0, &desk->run);
    desk->runnumbers[desk->try_count++] = desk->run.record.runnumber;
}

static void step_ask(struct desk *desk)
{
    struct run_question questions[QUESTIONS];
    size_t count = runs_questions(desk->rig.runs, desk->rig.now, questions, QUESTIONS);
    for (size_t i = 0; i < count; i++) {
        assert_true(text_equal(questions[i].workers, text_of("crew")));
        assert_true(text_equal(questions[i].topic, text_of("work")));
        assert_int_equal(questions[i].partition, 3);
        desk->earlier = desk->question;
        desk->question = questions[i];
        say(desk, "asks");
    }
}

static void step_tick(struct desk *desk)
{
    bool wants = runs_wants_tick(desk->rig.runs, desk->rig.now);
    if (wants) (void)runs_send_tick(desk->rig.runs, desk->rig.now);
    say(desk, wants ? "tick" : "no-tick");
}

static void step_back(struct desk *desk, const char *at)
{
    int64_t log_ms = desk->rig.now.now_ms;
    int64_t number = 0;
    if (*at != '\0' && *at != '@') number = read_ms(&at) / 1000;
    if (took(&at, "@")) log_ms += read_ms(&at);
    for (int64_t newest = 20; number == 0 && newest > 0; newest--) {
        /* those that were never sent count for nothing, so the newest one does */
        runs_rig_tick(&desk->rig, newest, log_ms);
    }
    if (number > 0) runs_rig_tick(&desk->rig, number, log_ms);
}

static void step_foreign(struct desk *desk)
{
    struct run_tick tick = {.owner = text_of("other"), .epoch = desk->rig.epoch, .number = 1};
    struct runs_place place = {.offset = desk->rig.log_end,
                               .log_ms = desk->rig.now.now_ms + DAYS_MS,
                               .now = desk->rig.now};
    assert_true(runs_tick(desk->rig.runs, &place, &tick, &desk->rig.sink));
    tick.owner = text_of("rig");
    tick.epoch--;
    assert_true(runs_tick(desk->rig.runs, &place, &tick, &desk->rig.sink));
}

static void step_no_times(struct desk *desk)
{
    assert_int_equal(desk->try_count, 0);
    desk->rig.config.append_times = false;
    runs_rig_take_over(&desk->rig, false);
}

static void step_delete(struct desk *desk)
{
    desk->rig.jobs[0].state = RUN_JOB_GONE;
    runs_job_deleted(desk->rig.runs, 0, text_of("group"), text_of("job-0"), desk->rig.now,
                     &desk->rig.sink);
}

static void step_resume(struct desk *desk)
{
    desk->rig.jobs[0].state = RUN_JOB_ACTIVE;
    runs_job_resumed(desk->rig.runs, 0);
}

static void step_cancel(struct desk *desk)
{
    assert_true(runs_cancel(desk->rig.runs, desk->run.k, desk->rig.now, &desk->rig.sink));
}

static void step_lost(struct desk *desk)
{
    assert_true(runs_reports_lost(desk->rig.runs, desk->rig.now, &desk->rig.sink));
}

static void answer(struct desk *desk, const struct run_question *question, int64_t behind)
{
    runs_answer(desk->rig.runs, question, question->offset + behind, desk->rig.now);
}

static void step_unfire(struct desk *desk)
{
    runs_unfire(desk->rig.runs, desk->run.k, desk->rig.now.now_ms + SECONDS_MS, desk->rig.now,
                &desk->rig.sink);
}

static void step_committed(struct desk *desk)
{
    runs_committed(desk->rig.runs, desk->rig.now.steady_ms);
}

static const struct {
    const char *word;
    void (*play)(struct desk *desk);
} verbs[] = {
    {"fire", step_fire},       {"ask", step_ask},           {"tick", step_tick},
    {"resume", step_resume},   {"delete", step_delete},     {"cancel", step_cancel},
    {"lost", step_lost},       {"unfire", step_unfire},     {"foreign", step_foreign},
    {"no-times", step_no_times}, {"committed", step_committed},
};

/* Words that are one call. */
static bool play_word(struct desk *desk, const char *step)
{
    if (strcmp(step, "yes") == 0) answer(desk, &desk->question, 1);
    else if (strcmp(step, "no") == 0) answer(desk, &desk->question, 0);
    else if (strcmp(step, "late-no") == 0) answer(desk, &desk->earlier, 0);
    else if (strcmp(step, "step") == 0) runs_rig_step(&desk->rig);
    else if (strcmp(step, "over") == 0) runs_rig_take_over(&desk->rig, false);
    else if (strcmp(step, "anew") == 0) runs_rig_take_over(&desk->rig, true);
    else if (strcmp(step, "pause") == 0) desk->rig.jobs[0].state = RUN_JOB_PAUSED;
    else if (strcmp(step, "drop") == 0) desk->rig.jobs[0].terms.lease_ms = 0;
    else return false;
    return true;
}

static void play(struct desk *desk, const char *step)
{
    if (step[0] == '+') {
        const char *at = step + 1;
        runs_rig_pass(&desk->rig, read_ms(&at));
        return;
    }
    if (step[1] == ':') {
        report(desk, step);
        return;
    }
    if (strncmp(step, "back", 4) == 0) {
        step_back(desk, step + 4);
        return;
    }
    if (play_word(desk, step)) return;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (strcmp(step, verbs[i].word) != 0) continue;
        verbs[i].play(desk);
        return;
    }
    fail_msg("no step: %s", step);
}

static void say_state(struct desk *desk)
{
    struct run_view view;
    uint32_t k = 0;
    while (k < runs_top(desk->rig.runs) && !runs_look(desk->rig.runs, k, &view)) k++;
    char text[64] = "| none";
    if (k < runs_top(desk->rig.runs))
        snprintf(text, sizeof text, "| %s %d %d", run_state_word(view.record.state),
                 view.record.number, view.record.counted);
    say(desk, text);
}

static void check_rule(void **state)
{
    const struct rule_row *row = *state;
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    runs_rig_open(&desk->rig);
    desk->rig.heard = hear;
    desk->rig.opaque = desk;
    set_terms(&desk->rig.jobs[0].terms, row->terms);
    char steps[SAID_BYTES];
    snprintf(steps, sizeof steps, "%s", row->steps);
    char *rest = steps;
    for (char *step = strsep(&rest, " "); step != NULL; step = strsep(&rest, " "))
        if (*step != '\0') play(desk, step);
    say_state(desk);
    assert_string_equal(desk->said, row->said);
    runs_rig_close(&desk->rig);
    free(desk);
}

int main(void)
{
    const struct row_table tables[] = {ROW_TABLE(rule_rows, check_rule)};
    return run_rows("run rules", tables, COUNT_OF(tables), NULL, 0);
}
