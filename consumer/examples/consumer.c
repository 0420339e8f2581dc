/* A consumer of Belfry's fires in C: one line per fire, until SIGTERM or Ctrl-C.
 *
 *   cc consumer.c -o consumer -lbelfry -lrdkafka -ljansson -lpthread
 *   ./consumer localhost:9092 my-group [topic]
 *
 * read_committed is fixed in the library; duplicates within its window are filtered by fire id. */
#include <belfry/consumer.h>

#include <signal.h>
#include <stdio.h>
#include <time.h>

static void handle(const struct belfry_fire *fire)
{
    /* The work goes here. It may come again after a crash: make it idempotent by fire->id. */
    printf("%s %s %s %s %s\n", fire->id, fire->subject, fire->due, fire->kind,
           fire->data == NULL ? "" : (const char *)fire->data);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s BROKERS GROUP_ID [TOPIC]\n", argv[0]);
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    struct belfry_error error = {0};
    struct belfry_options options = {.brokers = argv[1], .group_id = argv[2]};
    if (argc > 3) {
        options.topics = (const char *const *)&argv[3];
        options.topic_count = 1;
    }
    struct belfry_consumer *consumer = belfry_consumer_create(&options, &error);
    const struct timespec at_once = {0};
    while (consumer != NULL && sigtimedwait(&signals, NULL, &at_once) < 0) {
        const struct belfry_fire *fire = NULL;
        if (!belfry_consumer_next(consumer, 500, &fire, &error)) break;
        if (fire == NULL) continue; /* nothing due within 500 ms */
        handle(fire);
        belfry_consumer_done(consumer, fire, BELFRY_DONE); /* now its offset may be committed */
    }
    if (consumer != NULL && error.kind == BELFRY_ERROR_NONE)
        (void)!belfry_consumer_drain(consumer, 10000, &error); /* commit, leave the group */
    belfry_consumer_destroy(consumer);
    if (error.kind != BELFRY_ERROR_NONE) fprintf(stderr, "consumer: %s\n", error.message);
    return error.kind == BELFRY_ERROR_NONE ? 0 : 1;
}
