#include "cli/operate/checkup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/read/result_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_text.h"

static const char *const severity_names[] = {"ok", "warn", "bad"};

void checkup_find(struct checkup *checkup, enum severity severity, const char *advice,
                  const char *format, ...)
{
    char text[CHECK_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *finding = json_pack("{s:s, s:s, s:s}", "check", checkup->check, "status",
                                severity_names[severity], "message", text);
    if (finding == NULL) /* what was said is no UTF-8 */
        finding = json_pack("{s:s, s:s, s:s}", "check", checkup->check, "status",
                            severity_names[severity], "message", "(unreadable text)");
    if (advice != NULL) (void)json_object_set_new(finding, "advice", json_string(advice));
    (void)json_array_append_new(checkup->findings, finding);
    checkup->counts[severity]++;
}

int checkup_troubles(const struct checkup *checkup)
{
    return checkup->counts[WARN] + checkup->counts[BAD];
}

static void print_table(const struct checkup *checkup)
{
    static const char *const colours[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};
    const struct settings *settings = checkup->settings;
    for (size_t i = 0; i < json_array_size(checkup->findings); i++) {
        const json_t *finding = json_array_get(checkup->findings, i);
        const char *status = json_member_text(finding, "status");
        const char *message = json_member_text(finding, "message");
        const char *advice = json_member_text(finding, "advice");
        int severity = FINE;
        while (strcmp(severity_names[severity], status) != 0) severity++;
        (void)printf("%s%-4s%s  %-12s  ", settings->colour ? colours[severity] : "", status,
                     settings->colour ? "\x1b[0m" : "", json_member_text(finding, "check"));
        print_safe(stdout, message, strlen(message));
        (void)fputc('\n', stdout);
        if (advice != NULL) (void)printf("%20s-> %s\n", "", advice);
    }
    (void)fflush(stdout);
    (void)fprintf(stderr, "belfry: %d ok, %d warn, %d bad\n", checkup->counts[FINE],
                  checkup->counts[WARN], checkup->counts[BAD]);
}

void checkup_print(const struct checkup *checkup)
{
    enum output_format output = checkup->settings->output;
    if (output == OUTPUT_JSON || output == OUTPUT_NDJSON)
        value_print(checkup->settings, checkup->findings);
    else
        print_table(checkup);
}
