#include "store/redis_tls.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/memory.h"

#ifdef BELFRY_HIREDIS_SSL
#include <hiredis/hiredis_ssl.h>

struct redis_tls {
    redisSSLContext *context;
};

static const char *given(const char *text)
{
    assert(text != NULL);
    return text[0] != '\0' ? text : NULL;
}

struct redis_tls *redis_tls_create(const struct store_redis_options *options, struct error *error)
{
    assert(options != NULL && options->tls);
    if (redisInitOpenSSL() != REDIS_OK) {
        error_set(error, ERROR_RETRY, "Redis TLS: OpenSSL does not start");
        return NULL;
    }
    const char *server_name = given(options->tls_server_name);
    redisSSLContextError reason = REDIS_SSL_CTX_NONE;
    redisSSLContext *context = redisCreateSSLContext(
        given(options->tls_ca_file), options->tls_ca_file[0] == '\0' ? "/etc/ssl/certs" : NULL,
        given(options->tls_certificate_file), given(options->tls_key_file),
        server_name != NULL ? server_name : options->host, &reason);
    if (context == NULL) {
        error_set(error, ERROR_RETRY, "Redis TLS: %s (CA '%s', certificate '%s')",
                  redisSSLContextGetError(reason), options->tls_ca_file,
                  options->tls_certificate_file);
        return NULL;
    }
    struct redis_tls *tls = memory_allocate(1, sizeof *tls);
    tls->context = context;
    return tls;
}

void redis_tls_destroy(struct redis_tls *tls)
{
    if (tls == NULL) return;
    redisFreeSSLContext(tls->context);
    free(tls);
}

bool redis_tls_start(struct redis_tls *tls, redisContext *context, struct error *error)
{
    assert(tls != NULL);
    assert(context != NULL);
    if (redisInitiateSSLWithContext(context, tls->context) == REDIS_OK) return true;
    return error_set(error, ERROR_RETRY, "Redis TLS: %s", context->errstr);
}

#else

struct redis_tls *redis_tls_create(const struct store_redis_options *options, struct error *error)
{
    assert(options != NULL && options->tls);
    error_set(error, ERROR_INVALID, "this build has no TLS to Redis");
    return NULL;
}

void redis_tls_destroy(struct redis_tls *tls)
{
    assert(tls == NULL);
    (void)tls;
}

bool redis_tls_start(struct redis_tls *tls, redisContext *context, struct error *error)
{
    assert(tls == NULL);
    assert(context != NULL);
    (void)tls;
    (void)context;
    return error_set(error, ERROR_INVALID, "this build has no TLS to Redis");
}

#endif
