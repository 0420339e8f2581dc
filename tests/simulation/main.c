/* main.c - simulate: plays seeds, says how fast, shrinks the first that fails. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schemas/json_reader.h"
#include "tests/simulation/judge_runs/run_check.h"
#include "tests/simulation/options.h"
#include "tests/simulation/ports.h"
#include "tests/simulation/simulation.h"

struct totals {
    int64_t seeds;
    double hours;
    int64_t faults;
    int64_t fires;
    int64_t violations;
    uint64_t hash;
    struct sometimes sometimes;
};

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void add(struct totals *totals, const struct verdict *verdict)
{
    totals->seeds++;
    totals->hours += verdict->hours;
    totals->faults += verdict->faults;
    totals->fires += verdict->fires;
    totals->violations += verdict->violation_count;
    totals->hash = random_mix(totals->hash, verdict->hash);
    for (int i = 0; i < SOMETIMES_COUNT; i++)
        totals->sometimes.count[i] += verdict->sometimes.count[i];
}

static void say_violations(const struct plan *plan, const struct verdict *verdict)
{
    for (int i = 0; i < verdict->violation_count; i++)
        (void)printf("seed %llu: %s\n", (unsigned long long)plan->seed, verdict->violations[i]);
}

static bool tell_story(struct plan *plan, struct verdict *verdict, const struct wishes *wishes)
{
    shrink(plan, verdict, true);
    (void)printf("\n# what remains of the seed and still fails:\n");
    plan_write(plan, stdout);
    if (wishes->save == NULL) return true;
    FILE *file = fopen(wishes->save, "w");
    bool written = file != NULL;
    if (written) plan_write(plan, file);
    if (written && fclose(file) != 0) written = false;
    if (!written)
        (void)fprintf(stderr, "simulate: %s: the story cannot be written\n", wishes->save);
    return written;
}

static void say_totals(const struct totals *totals, double seconds)
{
    (void)printf("seeds=%lld simulated_hours=%.0f faults=%lld violations=%lld "
                 "hours_per_cpu_second=%.0f\n",
                 (long long)totals->seeds, totals->hours, (long long)totals->faults,
                 (long long)totals->violations, seconds > 0 ? totals->hours / seconds : 0);
}

static int replay(const struct wishes *wishes)
{
    struct plan plan;
    struct verdict verdict;
    int line = 0;
    FILE *file = fopen(wishes->replay, "r");
    if (file == NULL) {
        (void)fprintf(stderr, "simulate: %s: the file cannot be opened\n", wishes->replay);
        return 2;
    }
    if (!plan_read(&plan, file, &line)) {
        (void)fprintf(stderr, "simulate: %s: line %d is not one of a story\n", wishes->replay,
                      line);
        plan_clear(&plan);
        (void)fclose(file);
        return 2;
    }
    (void)fclose(file);
    simulate(&plan, wishes->verbose, &verdict);
    say_violations(&plan, &verdict);
    (void)printf("%s: %d violations, hash %016" PRIx64 "\n", wishes->replay,
                 verdict.violation_count, verdict.hash);
    plan_clear(&plan);
    return verdict.violation_count > 0;
}

static int play(const struct wishes *wishes)
{
    struct totals totals = {0};
    double began = cpu_seconds();
    bool written = true;
    for (int64_t i = 0; i < wishes->seeds; i++) {
        struct plan plan;
        struct verdict verdict;
        plan_from_seed(&plan, wishes->seed + (uint64_t)i, &wishes->plan);
        simulate(&plan, wishes->verbose, &verdict);
        add(&totals, &verdict);
        if (verdict.violation_count > 0) {
            say_violations(&plan, &verdict);
            (void)printf("repeat it with: make sim SEEDS=1 SEED=%llu%s\n",
                         (unsigned long long)plan.seed, wishes->plan.runs ? " SIM_RUNS=1" : "");
            if (wishes->one && !tell_story(&plan, &verdict, wishes)) written = false;
        }
        plan_clear(&plan);
        if (wishes->progress && (i + 1) % 50 == 0) {
            (void)printf("... ");
            say_totals(&totals, cpu_seconds() - began);
            (void)fflush(stdout);
        }
    }
    for (int i = 0; i < SOMETIMES_COUNT && !wishes->one; i++)
        (void)printf("sometimes %lld %s\n", (long long)totals.sometimes.count[i],
                     sometimes_text((enum sometimes_kind)i));
    (void)printf("hash=%016" PRIx64 " fires=%lld\n", totals.hash, (long long)totals.fires);
    say_totals(&totals, cpu_seconds() - began);
    return !written ? 2 : totals.violations > 0;
}

int main(int argc, char **argv)
{
    struct wishes wishes;
    enum options_read read = options_read(argc, argv, &wishes);
    if (read != OPTIONS_GOOD) return read == OPTIONS_HELP ? 0 : 2;
    json_reader_prepare();
    if (wishes.check_ports) return ports_check() + workers_check() > 0;
    if (wishes.check_judge) return run_check() > 0;
    return wishes.replay != NULL ? replay(&wishes) : play(&wishes);
}
