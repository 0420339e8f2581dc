#include "cli/kafka/tls_expiry.h"

#ifdef BELFRY_OPENSSL
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/show/cli_clock.h"
#include "lib/base/monotonic.h"

enum { WAIT_MOST_MS = 60000 };

bool tls_expiry_built(void)
{
    return true;
}

/* The earliest end of those noted; INT64_MAX: none. */
static void note(const X509 *certificate, int64_t *expires_ms)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0;
    int seconds = 0;
    bool read = epoch != NULL &&
                ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) == 1;
    ASN1_TIME_free(epoch);
    int64_t at_ms = ((int64_t)days * 86400 + seconds) * 1000;
    if (read && at_ms < *expires_ms) *expires_ms = at_ms;
}

/* Called for each certificate of the chain, and once more for each thing that is wrong with it:
 * whether it is to be trusted is not asked here. */
static int on_certificate(int valid, X509_STORE_CTX *context)
{
    (void)valid;
    SSL *tls = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    int64_t *expires_ms = SSL_get_app_data(tls);
    X509 *certificate = X509_STORE_CTX_get_current_cert(context);
    if (certificate != NULL) note(certificate, expires_ms);
    return 1;
}

static bool wait_for(int descriptor, short events, int64_t deadline_ms)
{
    struct pollfd source = {.fd = descriptor, .events = events};
    return poll(&source, 1, cli_left_ms(deadline_ms, WAIT_MOST_MS)) > 0;
}

/* Returns a descriptor, or -1. */
static int connect_to(const struct addrinfo *address, int64_t deadline_ms)
{
    int failure = 0;
    socklen_t bytes = sizeof failure;
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    bool connected =
        connect(descriptor, address->ai_addr, address->ai_addrlen) == 0 ||
        (errno == EINPROGRESS && wait_for(descriptor, POLLOUT, deadline_ms) &&
         getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &bytes) == 0 && failure == 0);
    if (connected) return descriptor;
    (void)close(descriptor);
    return -1;
}

static int connect_any(const char *host, const char *port, int64_t deadline_ms)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int descriptor = -1;
    if (getaddrinfo(host, port, &wanted, &found) != 0) return -1;
    for (const struct addrinfo *one = found; one != NULL && descriptor < 0; one = one->ai_next)
        descriptor = connect_to(one, deadline_ms);
    freeaddrinfo(found);
    return descriptor;
}

/* Ends when the handshake does, well or not: a server that asks for a certificate of ours has shown
 * its own before. */
static void shake_hands(SSL *tls, int descriptor, int64_t deadline_ms)
{
    for (;;) {
        int code = SSL_connect(tls);
        int wanted = code == 1 ? SSL_ERROR_NONE : SSL_get_error(tls, code);
        bool goes_on = wanted == SSL_ERROR_WANT_READ || wanted == SSL_ERROR_WANT_WRITE;
        short events = wanted == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
        if (!goes_on || !wait_for(descriptor, events, deadline_ms)) return;
    }
}

bool tls_expiry_server(const char *host, const char *port, int64_t wait_ms, int64_t *expires_ms,
                       struct error *error)
{
    int64_t deadline_ms = monotonic_ms() + wait_ms;
    int descriptor = connect_any(host, port, deadline_ms);
    *expires_ms = INT64_MAX;
    if (descriptor < 0)
        return error_set(error, ERROR_RETRY, "%.100s:%.10s cannot be reached", host, port);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = context == NULL ? NULL : SSL_new(context);
    if (tls != NULL) {
        SSL_set_verify(tls, SSL_VERIFY_PEER, on_certificate);
        SSL_set_app_data(tls, expires_ms);
        (void)SSL_set_tlsext_host_name(tls, host);
        (void)SSL_set_fd(tls, descriptor);
        shake_hands(tls, descriptor, deadline_ms);
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    ERR_clear_error();
    (void)close(descriptor);
    if (*expires_ms != INT64_MAX) return true;
    return error_set(error, ERROR_RETRY, "%.100s:%.10s shows no certificate", host, port);
}

bool tls_expiry_file(const char *path, int64_t *expires_ms, struct error *error)
{
    FILE *file = fopen(path, "re");
    *expires_ms = INT64_MAX;
    if (file == NULL)
        return error_set(error, ERROR_FATAL, "%.200s: %s", path, strerror(errno));
    X509 *certificate = NULL;
    while ((certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL) {
        note(certificate, expires_ms);
        X509_free(certificate);
    }
    ERR_clear_error();
    (void)fclose(file);
    if (*expires_ms != INT64_MAX) return true;
    return error_set(error, ERROR_FATAL, "%.200s holds no certificate (PEM)", path);
}

#else

bool tls_expiry_built(void)
{
    return false;
}

bool tls_expiry_server(const char *host, const char *port, int64_t wait_ms, int64_t *expires_ms,
                       struct error *error)
{
    (void)host;
    (void)port;
    (void)wait_ms;
    *expires_ms = 0;
    return error_set(error, ERROR_FATAL, "this build has no OpenSSL");
}

bool tls_expiry_file(const char *path, int64_t *expires_ms, struct error *error)
{
    (void)path;
    *expires_ms = 0;
    return error_set(error, ERROR_FATAL, "this build has no OpenSSL");
}

#endif
