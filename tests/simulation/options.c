#include "tests/simulation/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_MOST = 100000000 };

static const char help[] =
    "simulate - plays simulated clusters, each from one seed, and judges what they commit\n"
    "\n"
    "  simulate [--seeds=N] [--seed=S] [OPTION...]   plays seeds S, S+1, ... (100, from 1)\n"
    "  simulate --replay=STORY                       plays a story, as --save writes them\n"
    "  simulate --check-ports                        tries its Kafka, and its workers\n"
    "  simulate --check-judge                        tries its judge of runs on small histories\n"
    "\n"
    "  --seeds=N       how many seeds\n"
    "  --seed=S        the first one\n"
    "  --short         seeds of one or two days only; otherwise weeks and years are among them\n"
    "  --typical       the kind of seed that speed is measured with: three daemons, 200 jobs of\n"
    "                  about one fire an hour\n"
    "  --runs          jobs with a lease, and workers, in each seed in which Kafka loses nothing,\n"
    "                  not in every other one\n"
    "  --shrink        shortens a seed that fails to a story of a few events\n"
    "  --save=FILE     with --shrink: writes the story into the file\n"
    "  --replay=FILE   plays the story in the file; its trace hash is always the same\n"
    "  --verbose       tells everything that happens, with its virtual time\n"
    "  --progress      a line each 50 seeds\n"
    "  --help\n"
    "\n"
    "The same seed gives the same trace hash, byte for byte. The last line of a run is\n"
    "  seeds=... simulated_hours=... faults=... violations=... hours_per_cpu_second=...\n"
    "\n"
    "examples\n"
    "  simulate --short --seeds=500\n"
    "  simulate --short --seeds=1 --seed=77 --shrink --save=77.sim\n"
    "  simulate --replay=77.sim --verbose\n"
    "\n"
    "exit code\n"
    "  0  no violation\n"
    "  1  a violation, or a port or the judge that does not do as it should\n"
    "  2  the command line is wrong, or a file cannot be read or written\n";

static bool wrong(const char *format, const char *what)
{
    (void)fprintf(stderr, "simulate: ");
    (void)fprintf(stderr, format, what);
    (void)fprintf(stderr, "; simulate --help lists the options\n");
    return false;
}

static bool read_number(const char *argument, const char *value, uint64_t least, uint64_t most,
                        uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    unsigned long long read = strtoull(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0';
    if (!digits || errno != 0) return wrong("%s: a whole number is wanted", argument);
    if (read < least || read > most) return wrong("%s: the number is out of range", argument);
    *number = read;
    return true;
}

static bool read_switch(const char *argument, struct wishes *wishes)
{
    const struct {
        const char *name;
        bool *wish;
    } switches[] = {{"--shrink", &wishes->one},
                    {"--verbose", &wishes->verbose},
                    {"--progress", &wishes->progress},
                    {"--check-ports", &wishes->check_ports},
                    {"--check-judge", &wishes->check_judge},
                    {"--short", &wishes->plan.short_seeds},
                    {"--runs", &wishes->plan.runs},
                    {"--typical", &wishes->plan.typical}};
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (strcmp(argument, switches[i].name) != 0) continue;
        *switches[i].wish = true;
        return true;
    }
    return wrong("%s: there is no such option", argument);
}

static const char *after(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

static bool read_one(const char *argument, struct wishes *wishes)
{
    const char *value = NULL;
    uint64_t number = 0;
    if ((value = after(argument, "--seeds=")) != NULL) {
        if (!read_number(argument, value, 1, SEEDS_MOST, &number)) return false;
        wishes->seeds = (int64_t)number;
        return true;
    }
    if ((value = after(argument, "--seed=")) != NULL)
        return read_number(argument, value, 0, UINT64_MAX, &wishes->seed);
    if ((value = after(argument, "--replay=")) != NULL) wishes->replay = value;
    else if ((value = after(argument, "--save=")) != NULL) wishes->save = value;
    else return read_switch(argument, wishes);
    return value[0] != '\0' || wrong("%s: a file is wanted", argument);
}

enum options_read options_read(int argc, char **argv, struct wishes *wishes)
{
    *wishes = (struct wishes){.seed = 1, .seeds = 100};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(help, stdout);
            return OPTIONS_HELP;
        }
        if (!read_one(argv[i], wishes)) return OPTIONS_BAD;
    }
    bool good = true;
    if (wishes->replay != NULL && (wishes->one || wishes->save != NULL))
        good = wrong("%s plays a story as it is", "--replay");
    else if (wishes->save != NULL && !wishes->one)
        good = wrong("%s needs --shrink", "--save");
    return good ? OPTIONS_GOOD : OPTIONS_BAD;
}
