#include "dispatcher/daemon/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/rows.h"

struct text_case {
    const char *text;
    enum fault_point point; /* FAULT_NONE with at < 0: refused */
    int at;
    bool stop;
};

static const struct text_case text_cases[] = {
    {"", FAULT_NONE, 0, false},
    {"commit.after:17", FAULT_COMMIT_AFTER, 17, false},
    {"init.before:1", FAULT_INIT_BEFORE, 1, false},
    {"produce.after:3:stop", FAULT_PRODUCE_AFTER, 3, true},
    {"checkpoint.before:999999999", FAULT_CHECKPOINT_BEFORE, 999999999, false},
    {"commit.after", FAULT_NONE, -1, false},
    {"commit.after:", FAULT_NONE, -1, false},
    {"commit.after:0", FAULT_NONE, -1, false},
    {"commit.after:-1", FAULT_NONE, -1, false},
    {"commit.after:1:", FAULT_NONE, -1, false},
    {"commit.after:1:pause", FAULT_NONE, -1, false},
    {"commit.after:9999999999", FAULT_NONE, -1, false},
    {"commit:1", FAULT_NONE, -1, false},
    {":1", FAULT_NONE, -1, false},
};

static void check_text(void **state)
{
    const struct text_case *row = *state;
    struct fault fault;
    struct error error = {0};
    bool read = fault_parse(&fault, row->text, &error);
    assert_int_equal(read, row->at >= 0);
    assert_int_equal(fault.point, row->point);
    if (read) assert_int_equal(fault.at, row->at);
    if (read) assert_int_equal(fault.stop, row->stop);
    else assert_non_null(strstr(error.message, "BELFRY_FAULT"));
}

/* In a child: passes the point `times` times, then exits with 7. */
static int status_after(const char *text, int times)
{
    pid_t child = fork();
    if (child == 0) {
        struct fault fault;
        if (!fault_parse(&fault, text, NULL)) _exit(1);
        fault_pass(&fault, FAULT_BEGIN_BEFORE); /* another point does not count */
        for (int i = 0; i < times; i++) fault_pass(&fault, FAULT_COMMIT_AFTER);
        _exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    if (WIFSTOPPED(status)) {
        assert_int_equal(WSTOPSIG(status), SIGSTOP);
        kill(child, SIGCONT);
        assert_int_equal(waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? 1000 + WEXITSTATUS(status) : -1;
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void the_asked_passage_kills_or_freezes(void **state)
{
    (void)state;
    assert_int_equal(status_after("commit.after:3", 2), 7);
    assert_int_equal(status_after("commit.after:3", 3), -SIGKILL);
    assert_int_equal(status_after("commit.after:3:stop", 9), 1007);
    assert_int_equal(status_after("", 9), 7);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(text_cases, check_text)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(the_asked_passage_kills_or_freezes),
    };
    return run_rows("fault", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
