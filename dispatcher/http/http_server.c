#include "dispatcher/http/http_server.h"

#include <assert.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dispatcher/http/http_request.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

enum { TURN_MS = 100, ACCEPT_BYTES = 1024, NO_DESCRIPTOR = -1 };

/* One connection, and the request that is under way on it. */
struct http_connection {
    int descriptor;
    int64_t since_ms; /* of the request, or of the pause before it */
    bool judged;      /* its headers were looked at, and are fine: it is being answered */
    bool long_target;
    char target[HTTP_TARGET_BYTES];
};

/* All but `stop` belongs to the thread once it runs. */
struct http_server {
    struct http_options options;
    char address[HTTP_ADDRESS_BYTES];
    struct MHD_Daemon *daemon;
    struct http_connection connections[HTTP_CONNECTIONS_MAX];
    int64_t cut_ms; /* when connections are looked at again */
    pthread_t thread;
    atomic_bool stop;
};

/* ---- connections ---- */

static void opened(struct http_server *server, struct MHD_Connection *from, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(from, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_connection *connection = &server->connections[i];
        if (connection->descriptor != NO_DESCRIPTOR) continue;
        connection->descriptor = info->connect_fd;
        connection->since_ms = monotonic_ms();
        *context = connection;
        return;
    }
    (void)shutdown(info->connect_fd, SHUT_RDWR); /* one more than the library was told to take */
}

static void on_connection(void *opaque, struct MHD_Connection *from, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_connection *connection = *context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) opened(opaque, from, context);
    else if (connection != NULL) connection->descriptor = NO_DESCRIPTOR;
}

static struct http_connection *connection_of(struct MHD_Connection *from)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(from, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

/* The request line is there. What the library makes of the target later has been changed. */
static void *on_target(void *opaque, const char *target, struct MHD_Connection *from)
{
    struct http_connection *connection = connection_of(from);
    (void)opaque;
    if (connection == NULL) return NULL;
    size_t length = strlen(target);
    connection->judged = false;
    connection->long_target = length >= sizeof connection->target;
    if (!connection->long_target) memcpy(connection->target, target, length + 1);
    return connection;
}

static void on_completed(void *opaque, struct MHD_Connection *from, void **context,
                         enum MHD_RequestTerminationCode how)
{
    struct http_connection *connection = *context;
    (void)opaque;
    (void)from;
    (void)how;
    if (connection == NULL) return;
    connection->since_ms = monotonic_ms();
    connection->judged = false;
}

/* The other side will send no more, and has not sent a request. The library does not notice where
 * that was said together with the last bytes. */
static bool is_over(const struct http_connection *connection)
{
    char byte;
    return !connection->judged &&
           recv(connection->descriptor, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* The library's own limit would begin anew with each byte. */
static void cut_connections(struct http_server *server)
{
    int64_t now_ms = monotonic_ms();
    if (now_ms < server->cut_ms) return;
    server->cut_ms = now_ms + TURN_MS;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        const struct http_connection *connection = &server->connections[i];
        if (connection->descriptor == NO_DESCRIPTOR) continue;
        if (now_ms > connection->since_ms + HTTP_LIMIT_MS || is_over(connection))
            (void)shutdown(connection->descriptor, SHUT_RDWR);
    }
}

/* ---- answers ---- */

static enum MHD_Result send_answer(struct MHD_Connection *to, unsigned status,
                                   const char *content_type, struct MHD_Response *response)
{
    if (response == NULL) return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  content_type != NULL ? content_type
                                                       : "text/plain; charset=utf-8");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result queued = MHD_queue_response(to, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result refuse(struct MHD_Connection *to, unsigned status, const char *text,
                              bool closes)
{
    char line[128];
    int length = snprintf(line, sizeof line, "%u %s\n", status, text);
    assert(length > 0 && (size_t)length < sizeof line);
    struct MHD_Response *response =
        MHD_create_response_from_buffer((size_t)length, line, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO;
    if (closes) (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (status == 405) (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (status == 401)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                      "Bearer realm=\"belfryd\"");
    return send_answer(to, status, NULL, response);
}

struct accepts {
    char text[ACCEPT_BYTES]; /* what does not fit is left out */
    size_t length;
};

static enum MHD_Result add_accept(void *opaque, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    struct accepts *accepts = opaque;
    (void)kind;
    if (strcasecmp(key, MHD_HTTP_HEADER_ACCEPT) != 0 || value == NULL) return MHD_YES;
    size_t left = sizeof accepts->text - accepts->length;
    int more = snprintf(accepts->text + accepts->length, left, "%s%s",
                        accepts->length > 0 ? ", " : "", value);
    if (more > 0 && (size_t)more < left) accepts->length += (size_t)more;
    accepts->text[accepts->length] = '\0';
    return MHD_YES;
}

static enum MHD_Result fill_page(const struct http_page *page, struct MHD_Connection *to,
                                 const char *query)
{
    struct accepts accepts = {.length = 0};
    struct http_answer answer = {0};
    (void)MHD_get_connection_values(to, MHD_HEADER_KIND, add_accept, &accepts);
    page->fill(page->opaque, &(struct http_request){.accept = accepts.text, .query = query},
               &answer);
    assert(answer.body != NULL || answer.length == 0);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer.length, answer.body, MHD_RESPMEM_MUST_FREE);
    return send_answer(to, answer.status == 0 ? 200 : answer.status, answer.content_type, response);
}

/* Called when the headers are there, and again when the request is. What is answered the first
 * time closes the connection. */
static enum MHD_Result on_request(void *opaque, struct MHD_Connection *from, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_bytes, void **context)
{
    const struct http_server *server = opaque;
    struct http_connection *connection = *context;
    (void)url;
    (void)version;
    (void)body;
    if (connection == NULL) return MHD_NO;
    if (!connection->judged) {
        struct http_refusal refusal =
            http_request_judge(&server->options, from,
                               connection->long_target ? NULL : connection->target, method);
        if (refusal.status != 0) return refuse(from, refusal.status, refusal.text, true);
        connection->judged = true;
        return MHD_YES;
    }
    if (*body_bytes > 0) return MHD_NO; /* of a body that no header announced */
    const char *query = "";
    const struct http_page *page =
        http_request_page(&server->options, connection->target, &query);
    if ((page == NULL || !page->open) && !http_request_may(&server->options, from))
        return refuse(from, 401, "the token is missing or wrong", false);
    if (page == NULL) return refuse(from, 404, "there is no such page", false);
    return fill_page(page, from, query);
}

/* ---- life ---- */

static void *run(void *argument)
{
    struct http_server *server = argument;
    while (!atomic_load(&server->stop)) {
        (void)MHD_run_wait(server->daemon, TURN_MS);
        cut_connections(server);
    }
    return NULL;
}

/* The strictest that is meant for more than tests; newer versions call it otherwise. */
#if MHD_VERSION >= 0x00097701
#define STRICT MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1
#else
#define STRICT MHD_OPTION_STRICT_FOR_CLIENT, 1
#endif

static struct MHD_Daemon *start_library(struct http_server *server, int descriptor)
{
    return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, server,
                            MHD_OPTION_LISTEN_SOCKET, descriptor,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADERS_BYTES,
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, STRICT, MHD_OPTION_END);
}

struct http_server *http_server_start(const struct http_options *options, struct error *error)
{
    assert(options != NULL && options->pages != NULL);
    if (options->token == NULL && !http_address_is_local(&options->address)) {
        error_set(error, ERROR_FATAL, "[http] listen: other machines could read without a token");
        return NULL;
    }
    struct http_server *server = memory_allocate(1, sizeof *server);
    server->options = *options;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        server->connections[i].descriptor = NO_DESCRIPTOR;
    int descriptor = http_address_listen(&options->address, server->address, error);
    if (descriptor < 0) goto failed;
    server->daemon = start_library(server, descriptor);
    if (server->daemon == NULL) {
        (void)close(descriptor);
        error_set(error, ERROR_FATAL, "[http] listen %s: the library does not start",
                  server->address);
        goto forget;
    }
    int refused = pthread_create(&server->thread, NULL, run, server);
    if (refused == 0) {
        (void)pthread_setname_np(server->thread, "http");
        return server;
    }
    error_set(error, ERROR_FATAL, "[http] listen: no thread: %s", strerror(refused));
    MHD_stop_daemon(server->daemon);
forget:
    http_address_forget(&options->address);
failed:
    free(server);
    return NULL;
}

const char *http_server_address(const struct http_server *server)
{
    assert(server != NULL);
    return server->address;
}

void http_server_stop(struct http_server *server)
{
    if (server == NULL) return;
    atomic_store(&server->stop, true);
    (void)pthread_join(server->thread, NULL);
    MHD_stop_daemon(server->daemon);
    http_address_forget(&server->options.address);
    free(server);
}

const char *http_server_library(void)
{
    return MHD_get_version();
}
