/* model_driver - a shard in memory for the model test: reads one order a line, writes what the
 * shard says as JSON, then a line with a dot.
 *
 *   open <start> <outputs> <0|1>
 *                               a new shard; transactions of at most so many outputs, 0: no bound;
 *                               1: as if killed after each transaction
 *   command <at> <now> <json>   a command with this log time, read at `now`
 *   interrupted <at> <now> <json>
 *                               the same; where it takes several transactions, the process ends
 *                               after the first and the next cannot go on with it
 *   advance <now>               time passes; what is owed is worked off
 *   restart                     memory is built anew from records and mark
 *   jobs                        the record of each job
 *
 * Answers: "result <json>", "event <json>", "job <json>", "fire <id> <kind>". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "schemas/job_json.h"
#include "tests/support/shard_rig.h"

enum { LINE_BYTES = 1 << 20, TIME_BYTES = 40 };

static void fail(const char *line)
{
    (void)fprintf(stderr, "model_driver: not understood: %s\n", line);
    exit(2);
}

static void print_jobs(const struct shard *shard)
{
    struct text_writer writer;
    text_writer_init(&writer);
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
        const struct job *job = shard_job_at(shard, slot);
        if (job == NULL) continue;
        struct job_record record;
        job_view_record(job, &record);
        text_writer_words(&writer, "job ");
        job_record_encode(&writer, &record);
        text_writer_char(&writer, '\n');
    }
    (void)fwrite(writer.bytes, 1, writer.length, stdout);
    text_writer_free(&writer);
}

static void open_rig(struct shard_rig *rig, bool *opened, const char *words)
{
    char start[TIME_BYTES];
    unsigned long outputs = 0;
    int restarts = 0;
    if (sscanf(words, "%39s %lu %d", start, &outputs, &restarts) != 3) fail(words);
    if (*opened) rig_close(rig);
    rig_open(rig, start);
    rig->speaks_json = true;
    rig->batch_max = outputs;
    rig->restart_always = restarts != 0;
    *opened = true;
}

static void send_command(struct shard_rig *rig, const char *words)
{
    char at[TIME_BYTES];
    char now[TIME_BYTES];
    int used = 0;
    if (sscanf(words, "%39s %39s %n", at, now, &used) != 2) fail(words);
    rig_command(rig, at, now, words + used);
}

static void interrupt_command(struct shard_rig *rig, const char *words)
{
    rig->interrupts = true;
    send_command(rig, words);
    rig->interrupts = false;
}

int main(void)
{
    static char line[LINE_BYTES];
    struct shard_rig rig;
    bool opened = false;
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t length = strcspn(line, "\n");
        line[length] = '\0';
        if (strncmp(line, "open ", 5) == 0) open_rig(&rig, &opened, line + 5);
        else if (!opened) fail(line);
        else if (strncmp(line, "command ", 8) == 0) send_command(&rig, line + 8);
        else if (strncmp(line, "interrupted ", 12) == 0) interrupt_command(&rig, line + 12);
        else if (strncmp(line, "advance ", 8) == 0) rig_advance(&rig, line + 8);
        else if (strcmp(line, "restart") == 0) rig_restart(&rig);
        else if (strcmp(line, "jobs") == 0) print_jobs(rig.shard);
        else fail(line);
        (void)fputs(rig_said(&rig), stdout);
        (void)puts(".");
    }
    if (opened) rig_close(&rig);
    return 0;
}
