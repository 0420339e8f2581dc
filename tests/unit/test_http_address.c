/* Where the HTTP listener may listen, and who can reach it there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/http/http_request.h"

static const struct {
    const char *text;
    const char *host; /* NULL: refused */
    const char *port;
    bool local;
} places[] = {
    {"127.0.0.1:8411", "127.0.0.1", "8411", true},
    {"127.9.9.9:0", "127.9.9.9", "0", true},
    {"localhost:1", "localhost", "1", true},
    {"LocalHost:1", "LocalHost", "1", true},
    {"[::1]:65535", "::1", "65535", true},
    {"0.0.0.0:80", "0.0.0.0", "80", false},
    {"[::]:80", "::", "80", false},
    {"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", "80", false}, /* more careful than needed */
    {"10.0.0.1:80", "10.0.0.1", "80", false},
    {"localhost.example:80", "localhost.example", "80", false},
    {"127.0.0.1.example:80", "127.0.0.1.example", "80", false},
    {"unix:/run/belfryd.http", "/run/belfryd.http", "", true},
    {"/run/belfryd.http", "/run/belfryd.http", "", true},
    {"unix:@belfryd", "@belfryd", "", true},
    {"", NULL, NULL, false},
    {":80", NULL, NULL, false},
    {"8411", NULL, NULL, false},
    {"host", NULL, NULL, false},
    {"host:", NULL, NULL, false},
    {"host:65536", NULL, NULL, false},
    {"host:80x", NULL, NULL, false},
    {"host:-1", NULL, NULL, false},
    {"::1:80", NULL, NULL, false},
    {"[::1]", NULL, NULL, false},
    {"[::1:80", NULL, NULL, false},
    {"[]:80", NULL, NULL, false},
    {"unix:", NULL, NULL, false},
    {"unix:relative", NULL, NULL, false},
    {"unix:/", NULL, NULL, false},
};

static void check_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct http_address address;
        struct error error = {0};
        bool read = http_address_parse(places[i].text, &address, &error);
        if (places[i].host == NULL) {
            if (read) fail_msg("\"%s\" is no place", places[i].text);
            assert_int_equal(error.kind, ERROR_INVALID);
            continue;
        }
        if (!read) fail_msg("\"%s\": %s", places[i].text, error.message);
        assert_string_equal(address.host, places[i].host);
        assert_string_equal(address.port, places[i].port);
        if (http_address_is_local(&address) != places[i].local)
            fail_msg("\"%s\": who can reach it?", places[i].text);
    }
}

static void check_a_path_that_is_too_long(void **state)
{
    (void)state;
    char text[200] = "unix:/";
    struct http_address address;
    struct error error = {0};
    memset(text + 6, 'x', sizeof text - 7);
    assert_false(http_address_parse(text, &address, &error));
    assert_non_null(strstr(error.message, "107 bytes at most"));
}

static const struct {
    const char *listen;
    const char *host;
    bool known;       /* of the usual hosts */
    bool known_given; /* where hosts are given: belfry.example, [2001:db8::1], proxy:8443 */
} names[] = {
    {"127.0.0.1:8411", "localhost", true, false},
    {"127.0.0.1:8411", "LOCALHOST:8411", true, false},
    {"127.0.0.1:8411", "127.0.0.1:9", true, false}, /* behind a forwarded port */
    {"127.0.0.1:8411", "[::1]:8411", true, false},
    {"127.0.0.1:8411", "::1", false, false},
    {"127.0.0.1:8411", "localhost.", false, false},
    {"127.0.0.1:8411", "localhost:", false, false},
    {"127.0.0.1:8411", "localhost:80x", false, false},
    {"127.0.0.1:8411", "localhost.example", false, false},
    {"127.0.0.1:8411", "", false, false},
    {"127.0.0.1:8411", "belfry.example", false, true},
    {"127.0.0.1:8411", "Belfry.Example:443", false, true},
    {"127.0.0.1:8411", "[2001:db8::1]:80", false, true},
    {"127.0.0.1:8411", "proxy", false, false},
    {"127.0.0.1:8411", "proxy:8443", false, true},
    {"10.0.0.7:80", "10.0.0.7", true, false},
    {"[2001:db8::1]:80", "[2001:db8::1]:80", true, true},
    {"unix:/s", "localhost", true, false},
    {"unix:/s", "/s", false, false},
};

static void check_hosts(void **state)
{
    static const char *const given[] = {"belfry.example", "[2001:db8::1]", "proxy:8443"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct http_options options = {.hosts = given};
        struct error error = {0};
        assert_true(http_address_parse(names[i].listen, &options.address, &error));
        if (http_host_is_known(&options, names[i].host) != names[i].known)
            fail_msg("%s at %s", names[i].host, names[i].listen);
        options.host_count = 3;
        if (http_host_is_known(&options, names[i].host) != names[i].known_given)
            fail_msg("%s where hosts are given", names[i].host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_places),
        cmocka_unit_test(check_a_path_that_is_too_long),
        cmocka_unit_test(check_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
