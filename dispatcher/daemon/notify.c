#include "dispatcher/daemon/notify.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "dispatcher/http/unix_socket.h"
#include "lib/base/limits.h"

void notify_supervisor(const char *state)
{
    assert(state != NULL);
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL || (path[0] != '/' && path[0] != '@')) return;
    if (strlen(path) > UNIX_PLACE_BYTES_MAX) return;
    struct sockaddr_un address;
    socklen_t bytes = unix_socket_address(path, &address);
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    /* A supervisor that does not listen is its own problem: it will time out and say so. */
    const struct timeval limit = {.tv_sec = 1};
    (void)setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    (void)!sendto(descriptor, state, strlen(state), MSG_NOSIGNAL,
                  (const struct sockaddr *)&address, bytes);
    (void)close(descriptor);
}
