#include "dispatcher/http/http_address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatcher/http/unix_socket.h"
#include "lib/base/limits.h"

enum {
    BACKLOG = 64,
    PORT_MAX = 65535,
    UNIX_MODE = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP
};

static const char unix_prefix[] = "unix:";

static bool refuse(const char *text, struct error *error)
{
    return error_invalid(error, CODE_BAD_VALUE,
                         "\"%.60s\" is no place to listen at: HOST:PORT, [IPV6]:PORT, unix:PATH or "
                         "unix:@NAME are allowed", text);
}

static bool parse_unix(const char *text, const char *path, struct http_address *address,
                       struct error *error)
{
    size_t length = strlen(path);
    if (length < 2 || (path[0] != '/' && path[0] != '@')) return refuse(text, error);
    if (length > UNIX_PLACE_BYTES_MAX)
        return error_invalid(error, CODE_BAD_VALUE, "\"%.40s...\": a Unix socket's path has %d "
                             "bytes at most", path, UNIX_PLACE_BYTES_MAX);
    address->is_unix = true;
    memcpy(address->host, path, length + 1);
    return true;
}

static bool parse_port(const char *text, struct http_address *address)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits >= HTTP_PORT_BYTES || text[digits] != '\0') return false;
    if (strtol(text, NULL, 10) > PORT_MAX) return false;
    memcpy(address->port, text, digits + 1);
    return true;
}

bool http_address_parse(const char *text, struct http_address *address, struct error *error)
{
    assert(text != NULL && address != NULL);
    *address = (struct http_address){.is_unix = false};
    if (text[0] == '/') return parse_unix(text, text, address, error);
    if (strncmp(text, unix_prefix, sizeof unix_prefix - 1) == 0)
        return parse_unix(text, text + sizeof unix_prefix - 1, address, error);
    bool bracket = text[0] == '[';
    const char *host = bracket ? text + 1 : text;
    size_t length = strcspn(host, bracket ? "]" : ":");
    const char *rest = host + length;
    if (bracket && *rest == ']') rest++;
    if (length == 0 || length >= sizeof address->host || *rest != ':') return refuse(text, error);
    memcpy(address->host, host, length);
    return parse_port(rest + 1, address) || refuse(text, error);
}

bool http_address_is_local(const struct http_address *address)
{
    assert(address != NULL);
    struct in_addr four;
    struct in6_addr six;
    if (address->is_unix || strcasecmp(address->host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, address->host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, address->host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* ---- TCP ---- */

static int listen_at(const struct addrinfo *found)
{
    const int on = 1;
    int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor, found->ai_addr, found->ai_addrlen) == 0 &&
        listen(descriptor, BACKLOG) == 0)
        return descriptor;
    int cause = errno;
    (void)close(descriptor);
    errno = cause;
    return -1;
}

/* At the first of the host's addresses that can be had. */
static int listen_tcp(const struct http_address *address, const char **reason)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(address->host, address->port, &hints, &found);
    if (failed != 0) {
        *reason = gai_strerror(failed);
        return -1;
    }
    int descriptor = -1;
    for (struct addrinfo *at = found; at != NULL && descriptor < 0; at = at->ai_next)
        descriptor = listen_at(at);
    *reason = descriptor < 0 ? strerror(errno) : NULL;
    freeaddrinfo(found);
    return descriptor;
}

static void write_bound(int descriptor, const struct http_address *address,
                        char bound[HTTP_ADDRESS_BYTES])
{
    struct sockaddr_storage name = {0};
    socklen_t bytes = sizeof name;
    char port[HTTP_PORT_BYTES];
    bool six = strchr(address->host, ':') != NULL;
    if (getsockname(descriptor, (struct sockaddr *)&name, &bytes) != 0 ||
        getnameinfo((const struct sockaddr *)&name, bytes, NULL, 0, port, sizeof port,
                    NI_NUMERICSERV) != 0)
        (void)snprintf(port, sizeof port, "%s", address->port);
    (void)snprintf(bound, HTTP_ADDRESS_BYTES, six ? "[%s]:%s" : "%s:%s", address->host, port);
}

int http_address_listen(const struct http_address *address, char bound[HTTP_ADDRESS_BYTES],
                        struct error *error)
{
    assert(address != NULL && address->host[0] != '\0');
    const char *reason = NULL;
    int descriptor = -1;
    if (address->is_unix) {
        descriptor = unix_socket_listen(address->host, UNIX_MODE, BACKLOG);
        if (descriptor < 0) reason = strerror(errno);
        (void)snprintf(bound, HTTP_ADDRESS_BYTES, "unix:%s", address->host);
    } else {
        descriptor = listen_tcp(address, &reason);
        if (descriptor >= 0) write_bound(descriptor, address, bound);
        else (void)snprintf(bound, HTTP_ADDRESS_BYTES, "%s:%s", address->host, address->port);
    }
    if (descriptor >= 0) return descriptor;
    (void)error_set(error, ERROR_FATAL, "[http] listen %s: %s", bound, reason);
    return -1;
}

void http_address_forget(const struct http_address *address)
{
    assert(address != NULL);
    if (address->is_unix) unix_socket_forget(address->host);
}
