#include "dispatcher/http/http_request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char bearer[] = "Bearer ";

/* ---- headers ---- */

/* What is looked for in the headers of one request. */
struct headers {
    bool malformed;
    int hosts;
    int lengths;
    int encodings;
    int authorizations;
    bool body;
    const char *host;
};

/* The characters of a token in RFC 9110: neither blanks nor control characters. */
static bool is_token(const char *name, size_t length)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < length; i++) {
        char at = name[i];
        bool plain = (at >= 'a' && at <= 'z') || (at >= 'A' && at <= 'Z') ||
                     (at >= '0' && at <= '9');
        if (!plain && (at == '\0' || strchr(marks, at) == NULL)) return false;
    }
    return length > 0;
}

static bool is_text(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char at = (unsigned char)value[i];
        if ((at < ' ' && at != '\t') || at == 0x7f) return false;
    }
    return true;
}

static bool is(const char *key, size_t length, const char *name)
{
    return length == strlen(name) && strncasecmp(key, name, length) == 0;
}

static enum MHD_Result look(void *opaque, enum MHD_ValueKind kind, const char *key,
                            size_t key_length, const char *value, size_t length)
{
    struct headers *headers = opaque;
    (void)kind;
    if (value == NULL) length = 0;
    if (!is_token(key, key_length) || !is_text(value, length)) headers->malformed = true;
    if (is(key, key_length, MHD_HTTP_HEADER_HOST)) {
        headers->hosts++;
        headers->host = value;
    } else if (is(key, key_length, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        headers->lengths++;
        if (length != 1 || value[0] != '0') headers->body = true;
    } else if (is(key, key_length, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        headers->encodings++;
        headers->body = true;
    } else if (is(key, key_length, MHD_HTTP_HEADER_AUTHORIZATION)) {
        headers->authorizations++;
    }
    return MHD_YES;
}

/* ---- hosts ---- */

/* `known` as it is, or with a port behind it. */
static bool same_host(const char *known, const char *host)
{
    size_t length = strlen(known);
    if (length == 0 || strncasecmp(known, host, length) != 0) return false;
    const char *rest = host + length;
    if (*rest == '\0') return true;
    size_t digits = *rest == ':' ? strspn(rest + 1, "0123456789") : 0;
    return digits > 0 && rest[1 + digits] == '\0';
}

static bool is_usual_host(const struct http_address *address, const char *host)
{
    static const char *const usual[] = {"localhost", "127.0.0.1", "[::1]"};
    char own[HTTP_HOST_BYTES + 2];
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (same_host(usual[i], host)) return true;
    if (address->is_unix) return false;
    bool six = strchr(address->host, ':') != NULL;
    (void)snprintf(own, sizeof own, six ? "[%s]" : "%s", address->host);
    return same_host(own, host);
}

bool http_host_is_known(const struct http_options *options, const char *host)
{
    assert(options != NULL && host != NULL);
    for (size_t i = 0; i < options->host_count; i++)
        if (same_host(options->hosts[i], host)) return true;
    return options->host_count == 0 && is_usual_host(&options->address, host);
}

/* ---- the request ---- */

struct http_refusal http_request_judge(const struct http_options *options,
                                       struct MHD_Connection *connection, const char *target,
                                       const char *method)
{
    assert(options != NULL && method != NULL);
    struct headers headers = {0};
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look, &headers);
    if (target == NULL) return (struct http_refusal){414, "the target is too long"};
    if (target[0] != '/') return (struct http_refusal){400, "the target must begin with /"};
    if (headers.malformed) return (struct http_refusal){400, "a header is malformed"};
    if (headers.hosts != 1 || headers.lengths > 1 || headers.encodings > 1 ||
        headers.authorizations > 1)
        return (struct http_refusal){400, "a header is missing, or there twice"};
    if (headers.lengths > 0 && headers.encodings > 0)
        return (struct http_refusal){400, "Content-Length and Transfer-Encoding"};
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return (struct http_refusal){405, "only GET and HEAD"};
    if (headers.host == NULL || !http_host_is_known(options, headers.host))
        return (struct http_refusal){421, "this host is not in http.hosts"};
    if (headers.body) return (struct http_refusal){413, "a request for a page has no body"};
    return (struct http_refusal){0, NULL};
}

bool http_request_may(const struct http_options *options, struct MHD_Connection *connection)
{
    if (options->token == NULL) return true;
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_AUTHORIZATION);
    if (given == NULL || strncasecmp(given, bearer, sizeof bearer - 1) != 0) return false;
    given += sizeof bearer - 1;
    size_t length = strlen(options->token);
    if (strlen(given) != length) return false;
    unsigned difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned)(unsigned char)(given[i] ^ options->token[i]);
    return difference == 0;
}

const struct http_page *http_request_page(const struct http_options *options, const char *target,
                                          const char **query)
{
    size_t length = strcspn(target, "?");
    *query = target[length] == '?' ? target + length + 1 : "";
    for (size_t i = 0; i < options->page_count; i++)
        if (strlen(options->pages[i].path) == length &&
            memcmp(options->pages[i].path, target, length) == 0)
            return &options->pages[i];
    return NULL;
}
