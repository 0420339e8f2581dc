/* tls_expiry.h - until when certificates are valid: those that servers show, and files. In builds
 * that found OpenSSL. */
#ifndef BELFRY_CLI_TLS_EXPIRY_H
#define BELFRY_CLI_TLS_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

/* Whether this build can look. */
bool tls_expiry_built(void);

/* Shakes hands with the server, whoever it is, as far as it takes until its certificate is there;
 * checks nothing, sends nothing. *expires_ms: the end of the first certificate of its chain to end.
 * Errors: ERROR_RETRY. */
bool tls_expiry_server(const char *host, const char *port, int64_t wait_ms, int64_t *expires_ms,
                       struct error *error) __attribute__((warn_unused_result));

/* The same of the certificates in a PEM file. Errors: ERROR_FATAL. */
bool tls_expiry_file(const char *path, int64_t *expires_ms, struct error *error)
    __attribute__((warn_unused_result));

#endif
