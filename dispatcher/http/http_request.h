/* http_request.h - whether a request may be answered: everything two programs could read in two
 * ways is refused, with the connection; so is what is not for us. */
#ifndef BELFRY_HTTP_HTTP_REQUEST_H
#define BELFRY_HTTP_HTTP_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "dispatcher/http/http_server.h"

/* Why a request is refused; all static. */
struct http_refusal {
    unsigned status; /* 0: it is not */
    const char *text;
};

/* What follows from the headers alone, before a body is read.
 *   target  of the request line, as it was sent; NULL: longer than HTTP_TARGET_BYTES */
struct http_refusal http_request_judge(const struct http_options *options,
                                       struct MHD_Connection *connection, const char *target,
                                       const char *method);

/* Whether it has the token. Takes the same time for every wrong one of a length. */
bool http_request_may(const struct http_options *options, struct MHD_Connection *connection);

/* Whether a Host header names one of the hosts, with or without a port. */
bool http_host_is_known(const struct http_options *options, const char *host);

/* The page of the target, NULL: there is none. *query is what stands behind '?', within target. */
const struct http_page *http_request_page(const struct http_options *options, const char *target,
                                          const char **query);

#endif
