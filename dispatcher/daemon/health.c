#include "dispatcher/daemon/health.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "dispatcher/http/unix_socket.h"
#include "lib/base/memory.h"

enum { ASKERS_MAX = 16 /* that wait, and that are answered in one turn */ };

static const char *const words[] = {"ok", "unready", "bad"};

struct health {
    int descriptor;
    char place[UNIX_PLACE_BYTES_MAX + 1];
};

/* Connects within the limit. Returns -1 and errno. */
static int connect_to(const char *place)
{
    struct sockaddr_un address;
    socklen_t bytes = unix_socket_address(place, &address);
    const struct timeval limit = {.tv_sec = HEALTH_LIMIT_MS / 1000};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(descriptor, (const struct sockaddr *)&address, bytes) == 0) return descriptor;
    int cause = errno;
    (void)close(descriptor);
    errno = cause;
    return -1;
}

struct health *health_open(const char *place, struct error *error)
{
    struct health *health = memory_allocate(1, sizeof *health);
    (void)snprintf(health->place, sizeof health->place, "%s", place);
    health->descriptor = unix_socket_listen(place, 0, ASKERS_MAX);
    if (health->descriptor >= 0) return health;
    (void)error_set(error, ERROR_FATAL, "health.socket %s: %s", place,
                    errno == EADDRINUSE ? "another process listens there" : strerror(errno));
    free(health);
    return NULL;
}

void health_close(struct health *health)
{
    if (health == NULL) return;
    unix_socket_forget(health->place);
    (void)close(health->descriptor);
    free(health);
}

void health_answer(struct health *health, enum health_state state, const char *text)
{
    assert(health != NULL && text != NULL);
    char answer[HEALTH_TEXT_BYTES];
    int length = snprintf(answer, sizeof answer, "%s %s\n", words[state], text);
    size_t bytes = length < (int)sizeof answer ? (size_t)length : sizeof answer - 1;
    for (int i = 0; i < ASKERS_MAX; i++) {
        int asker = accept4(health->descriptor, NULL, NULL, SOCK_CLOEXEC);
        if (asker < 0) return;
        (void)!send(asker, answer, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)close(asker);
    }
}

enum health_state health_ask(const char *place, char text[HEALTH_TEXT_BYTES])
{
    int descriptor = connect_to(place);
    ssize_t got = -1;
    if (descriptor >= 0) got = recv(descriptor, text, HEALTH_TEXT_BYTES - 1, MSG_WAITALL);
    int cause = errno;
    if (descriptor >= 0) (void)close(descriptor);
    if (got <= 0) {
        bool silent = cause == EAGAIN || cause == EWOULDBLOCK || got == 0;
        (void)snprintf(text, HEALTH_TEXT_BYTES, "no answer at %s: %s", place,
                       silent ? "it does not move" : strerror(cause));
        return HEALTH_BAD;
    }
    text[got] = '\0';
    text[strcspn(text, "\n")] = '\0';
    size_t word = strcspn(text, " ");
    for (int state = HEALTH_OK; state < HEALTH_BAD; state++)
        if (strlen(words[state]) == word && memcmp(words[state], text, word) == 0)
            return (enum health_state)state;
    return HEALTH_BAD;
}
