#include "dispatcher/daemon/fault.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const point_names[] = {
    [FAULT_INIT_BEFORE] = "init.before",
    [FAULT_INIT_AFTER] = "init.after",
    [FAULT_BEGIN_BEFORE] = "begin.before",
    [FAULT_PRODUCE_BEFORE] = "produce.before",
    [FAULT_PRODUCE_AFTER] = "produce.after",
    [FAULT_COMMIT_BEFORE] = "commit.before",
    [FAULT_COMMIT_AFTER] = "commit.after",
    [FAULT_CHECKPOINT_BEFORE] = "checkpoint.before",
    [FAULT_CHECKPOINT_AFTER] = "checkpoint.after",
};
enum { POINTS = sizeof point_names / sizeof point_names[0], COUNT_DIGITS_MAX = 9 };

static enum fault_point point_by_name(const char *name, size_t length)
{
    assert(name != NULL);
    for (int i = FAULT_NONE + 1; i < POINTS; i++)
        if (strlen(point_names[i]) == length && memcmp(point_names[i], name, length) == 0)
            return (enum fault_point)i;
    return FAULT_NONE;
}

bool fault_parse(struct fault *fault, const char *text, struct error *error)
{
    assert(fault != NULL);
    *fault = (struct fault){0};
    if (text == NULL || text[0] == '\0') return true;
    size_t name_length = strcspn(text, ":");
    enum fault_point point = point_by_name(text, name_length);
    const char *number = text[name_length] == ':' ? text + name_length + 1 : "";
    size_t digits = strspn(number, "0123456789");
    bool stop = strcmp(number + digits, ":stop") == 0;
    bool fine = digits > 0 && digits <= COUNT_DIGITS_MAX && (stop || number[digits] == '\0');
    int64_t at = fine ? strtoll(number, NULL, 10) : 0;
    if (point == FAULT_NONE || at < 1)
        return error_invalid(error, CODE_BAD_VALUE,
                             "BELFRY_FAULT: \"%.60s\" is not POINT:NUMBER or POINT:NUMBER:stop, "
                             "for example commit.after:17",
                             text);
    fault->point = point;
    fault->at = at;
    fault->stop = stop;
    return true;
}

void fault_pass(struct fault *fault, enum fault_point point)
{
    assert(fault != NULL);
    assert(point > FAULT_NONE && point <= FAULT_CHECKPOINT_AFTER);
    if (fault->point != point) return;
    if (atomic_fetch_add(&fault->passed, 1) + 1 != fault->at) return;
    (void)kill(getpid(), fault->stop ? SIGSTOP : SIGKILL);
}
