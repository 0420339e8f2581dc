/* http_server.h - an HTTP/1.1 listener on a thread of its own, for pages that are only read. It
 * knows nothing of what stands on the pages. One connection cannot hold another up for long: all
 * is bounded, also against a client that sends or reads slowly. docs/http.md has the rules. */
#ifndef BELFRY_HTTP_HTTP_SERVER_H
#define BELFRY_HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "dispatcher/http/http_address.h"
#include "lib/base/error.h"

enum {
    HTTP_CONNECTIONS_MAX = 64,
    HTTP_LIMIT_MS = 10000,            /* a request with its answer, or the pause before one */
    HTTP_HEADERS_BYTES = 16 * 1024,   /* request line and headers, with what is kept of them */
    HTTP_TARGET_BYTES = 2048
};

/* What a page is told of its request. */
struct http_request {
    const char *accept; /* the Accept header; several are joined by ", "; "" where there is none */
    const char *query;  /* what stands behind '?', as it was sent; "" */
};

/* What a page answers; all 0 before. */
struct http_answer {
    unsigned status;          /* 0: 200 */
    const char *content_type; /* static; NULL: plain text */
    char *body;               /* from malloc(); the server frees it */
    size_t length;
};

/* Called on the server's thread, so that no two calls of any pages are at one time. It should be
 * done within some 20 ms, and never wait for a lock that somebody else waits behind. */
typedef void http_fill(void *opaque, const struct http_request *request,
                       struct http_answer *answer);

struct http_page {
    const char *path; /* "/metrics" */
    bool open;        /* may be read without the token */
    http_fill *fill;
    void *opaque;
};

/* Borrowed, all of it, for as long as the server is there. */
struct http_options {
    struct http_address address;
    const char *const *hosts; /* that the Host header may name */
    size_t host_count;        /* 0: localhost, 127.0.0.1, [::1] and the host of the address */
    const char *token;        /* NULL: everybody who can connect may read */
    const struct http_page *pages;
    size_t page_count;
};

struct http_server;

/* Listens. The thread takes the signals that the caller takes: in belfryd those of a crash only, so
 * that a crash there also has its last lines written.
 * NULL: ERROR_FATAL: the address cannot be had, or others could read without a token. */
struct http_server *http_server_start(const struct http_options *options, struct error *error)
    __attribute__((warn_unused_result));
/* Where it listens, with the port that was picked: "127.0.0.1:8411", "unix:/path". */
const char *http_server_address(const struct http_server *server);
/* Closes all connections and ends the thread; a page that is being filled is waited for. NULL is
 * allowed. */
void http_server_stop(struct http_server *server);

/* The version of the library that is loaded. */
const char *http_server_library(void);

#endif
