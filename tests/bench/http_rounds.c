/* http_rounds.c - the client of `make bench-http`: asks for one page again and again, and prints
 * how many microseconds that took.
 *   http_rounds PORT PATH COUNT keep|new   on one connection, or on a new one for each */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/monotonic.h"

enum { ANSWER_BYTES = 64 * 1024 };

static int connect_to(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((in_port_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (descriptor < 0 ||
        connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0) {
        perror("connect");
        exit(EXIT_FAILURE);
    }
    return descriptor;
}

/* Reads one answer of a known length. */
static bool read_answer(int descriptor)
{
    static char got[ANSWER_BYTES];
    size_t length = 0;
    for (;;) {
        ssize_t more = recv(descriptor, got + length, sizeof got - 1 - length, 0);
        if (more <= 0) return false;
        length += (size_t)more;
        got[length] = '\0';
        const char *end = strstr(got, "\r\n\r\n");
        const char *bytes = strstr(got, "Content-Length: ");
        if (end == NULL || bytes == NULL) continue;
        if (length >= (size_t)(end + 4 - got) + (size_t)strtoul(bytes + 16, NULL, 10))
            return strncmp(got, "HTTP/1.1 200", 12) == 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) return EXIT_FAILURE;
    int port = (int)strtol(argv[1], NULL, 10);
    int count = (int)strtol(argv[3], NULL, 10);
    bool keep = strcmp(argv[4], "keep") == 0;
    char request[256];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                          argv[2]);
    int descriptor = -1;
    int64_t begun_us = monotonic_us();
    for (int i = 0; i < count; i++) {
        if (descriptor < 0) descriptor = connect_to(port);
        if (send(descriptor, request, (size_t)length, MSG_NOSIGNAL) != length ||
            !read_answer(descriptor)) {
            (void)fprintf(stderr, "no answer\n");
            return EXIT_FAILURE;
        }
        if (keep) continue;
        (void)close(descriptor);
        descriptor = -1;
    }
    (void)printf("%lld\n", (long long)(monotonic_us() - begun_us));
    return EXIT_SUCCESS;
}
