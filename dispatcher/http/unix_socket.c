#include "dispatcher/http/unix_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/limits.h"

static bool is_file(const char *place)
{
    return place[0] != '@';
}

socklen_t unix_socket_address(const char *place, struct sockaddr_un *address)
{
    size_t length = strlen(place);
    static_assert(UNIX_PLACE_BYTES_MAX < sizeof address->sun_path, "a path and its end");
    assert(length > 0 && length <= UNIX_PLACE_BYTES_MAX);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, place, length);
    if (!is_file(place)) address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* A socket that a daemon before us left behind refuses connections. */
static void remove_stale(const struct sockaddr_un *to, socklen_t bytes)
{
    int descriptor = new_socket();
    if (descriptor < 0) return;
    bool stale = connect(descriptor, (const struct sockaddr *)to, bytes) < 0 &&
                 errno == ECONNREFUSED;
    (void)close(descriptor);
    if (stale) (void)unlink(to->sun_path);
}

int unix_socket_listen(const char *place, mode_t mode, int backlog)
{
    struct sockaddr_un to;
    socklen_t bytes = unix_socket_address(place, &to);
    if (is_file(place)) remove_stale(&to, bytes);
    int descriptor = new_socket();
    if (descriptor < 0) return -1;
    /* Nobody connects before listen(): the mode is set by then. */
    if (bind(descriptor, (const struct sockaddr *)&to, bytes) == 0 &&
        (mode == 0 || !is_file(place) || chmod(place, mode) == 0) &&
        listen(descriptor, backlog) == 0)
        return descriptor;
    int cause = errno;
    (void)close(descriptor);
    errno = cause;
    return -1;
}

void unix_socket_forget(const char *place)
{
    assert(place != NULL);
    if (is_file(place)) (void)unlink(place);
}
