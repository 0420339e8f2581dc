/* http_address.h - where the HTTP listener listens: a TCP address, or a Unix socket. */
#ifndef BELFRY_HTTP_HTTP_ADDRESS_H
#define BELFRY_HTTP_HTTP_ADDRESS_H

#include <stdbool.h>

#include "lib/base/error.h"

enum {
    HTTP_HOST_BYTES = 256,
    HTTP_PORT_BYTES = 6,
    HTTP_ADDRESS_BYTES = HTTP_HOST_BYTES + HTTP_PORT_BYTES + 8 /* as text */
};

struct http_address {
    bool is_unix;
    char host[HTTP_HOST_BYTES]; /* without brackets; of a Unix socket its path, or "@name" */
    char port[HTTP_PORT_BYTES]; /* of TCP; "0": the system picks one */
};

/* Reads HOST:PORT, [IPV6]:PORT, unix:PATH, a PATH that begins with '/', or unix:@NAME, which is no
 * file.
 *   errors  ERROR_INVALID: what is allowed */
bool http_address_parse(const char *text, struct http_address *address, struct error *error)
    __attribute__((warn_unused_result));

/* Only this machine reaches it: a Unix socket, 127.x.x.x, [::1] or localhost. Looks nothing up. */
bool http_address_is_local(const struct http_address *address);

/* Binds and listens, without waiting for anything. `bound` is the address as text, with the port
 * that was picked. A socket file that nobody listens at any more is replaced; a new one is for
 * the user and its group.
 *   returns  a descriptor, or -1 with ERROR_FATAL: taken, not resolved, not allowed */
int http_address_listen(const struct http_address *address, char bound[HTTP_ADDRESS_BYTES],
                        struct error *error) __attribute__((warn_unused_result));

/* Removes the socket file, where there is one. */
void http_address_forget(const struct http_address *address);

#endif
