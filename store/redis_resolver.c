#include "store/redis_resolver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "lib/base/quiet_thread.h"

enum { HOST_BYTES = 256, TROUBLE_BYTES = REDIS_ADDRESS_BYTES * 2 };

/* A question to the system: belongs to the resolver and to the thread that asks; who is last frees
 * it. */
struct question {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t answered;
    int owners;
    bool done;
    bool found;
    struct redis_addresses addresses;
    char trouble[TROUBLE_BYTES];
    redis_resolve *resolve; /* constant, as the host */
    char host[HOST_BYTES];
};

struct redis_resolver {
    redis_resolve *resolve;
    char host[HOST_BYTES];
    struct question *question; /* under way, or answered too late; NULL: none */
};

bool redis_resolve_by_system(const char *host, struct redis_addresses *addresses,
                             char trouble[TROUBLE_BYTES])
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &list);
    addresses->count = 0;
    if (failed != 0) {
        (void)snprintf(trouble, TROUBLE_BYTES, "%s", gai_strerror(failed));
        return false;
    }
    for (const struct addrinfo *one = list; one != NULL; one = one->ai_next) {
        if (addresses->count == REDIS_ADDRESSES_MAX) break;
        if (getnameinfo(one->ai_addr, one->ai_addrlen, addresses->texts[addresses->count],
                        REDIS_ADDRESS_BYTES, NULL, 0, NI_NUMERICHOST) == 0)
            addresses->count++;
    }
    freeaddrinfo(list);
    if (addresses->count == 0) (void)snprintf(trouble, TROUBLE_BYTES, "it has no address");
    return addresses->count > 0;
}

static void give_up(struct question *question)
{
    pthread_mutex_lock(&question->lock);
    bool last = --question->owners == 0;
    pthread_mutex_unlock(&question->lock);
    if (!last) return;
    pthread_cond_destroy(&question->answered);
    pthread_mutex_destroy(&question->lock);
    free(question);
}

static void *ask(void *argument)
{
    struct question *question = argument;
    struct redis_addresses addresses = {0};
    char trouble[TROUBLE_BYTES] = "";
    bool found = question->resolve(question->host, &addresses, trouble);
    pthread_mutex_lock(&question->lock);
    question->done = true;
    question->found = found;
    question->addresses = addresses;
    memcpy(question->trouble, trouble, sizeof trouble);
    pthread_cond_broadcast(&question->answered);
    pthread_mutex_unlock(&question->lock);
    give_up(question);
    return NULL;
}

static int start_thread(struct question *question)
{
    pthread_t thread;
    int failed = quiet_thread_start(&thread, ask, question);
    if (failed == 0) (void)pthread_detach(thread);
    return failed;
}

static bool begin_question(struct redis_resolver *resolver, struct error *error)
{
    struct question *question = memory_allocate(1, sizeof *question);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&question->lock, NULL);
    pthread_cond_init(&question->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
    question->owners = 2;
    question->resolve = resolver->resolve;
    memcpy(question->host, resolver->host, sizeof question->host);
    int failed = start_thread(question);
    if (failed == 0) {
        resolver->question = question;
        return true;
    }
    give_up(question);
    give_up(question);
    return error_set(error, ERROR_RETRY, "Redis: no thread to find host %.100s: %s", resolver->host,
                     strerror(failed));
}

struct redis_resolver *redis_resolver_create(const char *host, redis_resolve *resolve)
{
    assert(host != NULL && strlen(host) < HOST_BYTES);
    struct redis_resolver *resolver = memory_allocate(1, sizeof *resolver);
    resolver->resolve = resolve != NULL ? resolve : redis_resolve_by_system;
    (void)snprintf(resolver->host, sizeof resolver->host, "%s", host);
    return resolver;
}

void redis_resolver_destroy(struct redis_resolver *resolver)
{
    if (resolver == NULL) return;
    if (resolver->question != NULL) give_up(resolver->question);
    free(resolver);
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool redis_resolver_find(struct redis_resolver *resolver, int64_t limit_ms,
                         struct redis_addresses *addresses, struct error *error)
{
    assert(resolver != NULL && addresses != NULL);
    struct timespec deadline = monotonic_timespec(monotonic_ms() + (limit_ms > 0 ? limit_ms : 0));
    size_t length = strlen(resolver->host);
    if (length < REDIS_ADDRESS_BYTES && is_address(resolver->host)) {
        addresses->count = 1;
        memcpy(addresses->texts[0], resolver->host, length + 1);
        return true;
    }
    if (resolver->question == NULL && !begin_question(resolver, error)) return false;
    struct question *question = resolver->question;
    int waited = 0;
    pthread_mutex_lock(&question->lock);
    while (!question->done && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&question->answered, &question->lock, &deadline);
    bool done = question->done;
    bool found = done && question->found;
    *addresses = question->addresses;
    if (!done)
        error_set(error, ERROR_RETRY, "Redis: the system has not found host %.100s within %lld ms",
                  resolver->host, (long long)limit_ms);
    else if (!found)
        error_set(error, ERROR_RETRY, "Redis: host %.100s: %s", resolver->host, question->trouble);
    pthread_mutex_unlock(&question->lock);
    if (!done) return false;
    resolver->question = NULL; /* the next connection asks anew: an address may change */
    give_up(question);
    return found;
}
