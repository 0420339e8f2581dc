#include "cli/read/result_view.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "lib/model/output.h"

enum verdict { VERDICT_DONE, VERDICT_PARTLY, VERDICT_NOT_FOUND, VERDICT_CONFLICT, VERDICT_FAILED };

static enum verdict verdict_of(enum outcome outcome, const char *code)
{
    bool not_found = error_code_find(text_of(code)) == CODE_NOT_FOUND;
    switch (outcome) {
    case OUTCOME_APPLIED:
    case OUTCOME_UNCHANGED: return VERDICT_DONE;
    case OUTCOME_PARTIAL: return VERDICT_PARTLY;
    case OUTCOME_CONFLICT: return not_found ? VERDICT_NOT_FOUND : VERDICT_CONFLICT;
    case OUTCOME_DUPLICATE:
    case OUTCOME_REJECTED:
    case OUTCOME_EXPIRED: break;
    }
    return VERDICT_FAILED;
}

static const char *text_or_empty(const json_t *object, const char *name)
{
    const char *text = json_member_text(object, name);
    return text == NULL ? "" : text;
}

/* A duplicate means what the first one meant. */
static enum verdict result_verdict(const json_t *result)
{
    assert(json_is_object(result));
    const char *code = text_or_empty(result, "code");
    enum outcome outcome = OUTCOME_REJECTED;
    if (!outcome_find(text_of(text_or_empty(result, "outcome")), &outcome)) return VERDICT_FAILED;
    if (outcome != OUTCOME_DUPLICATE) return verdict_of(outcome, code);
    const char *first = json_member_text(result, "first_outcome");
    if (first == NULL && code[0] == '\0') return VERDICT_DONE;
    if (first == NULL) return verdict_of(OUTCOME_CONFLICT, code);
    return outcome_find(text_of(first), &outcome) ? verdict_of(outcome, code) : VERDICT_FAILED;
}

bool result_is_done(const json_t *result)
{
    return result_verdict(result) == VERDICT_DONE;
}

json_int_t results_total(const json_t *results, const char *member)
{
    assert(json_is_array(results));
    json_int_t total = 0;
    for (size_t i = 0; i < json_array_size(results); i++)
        total += json_member_number(json_array_get(results, i), member, 0);
    return total;
}

struct counted {
    size_t done;
    size_t not_found;
    enum verdict worst; /* of the others */
};

static struct counted count_verdicts(const json_t *results, bool selects)
{
    struct counted counted = {.worst = VERDICT_DONE};
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        enum verdict verdict = result_verdict(result);
        bool matched = !selects || json_member_number(result, "matched", 0) > 0;
        bool duplicate =
            strcmp(text_or_empty(result, "outcome"), outcome_name(OUTCOME_DUPLICATE)) == 0;
        if (verdict == VERDICT_DONE) counted.done += matched || duplicate;
        else if (verdict == VERDICT_NOT_FOUND) counted.not_found++;
        else if (verdict > counted.worst) counted.worst = verdict;
    }
    return counted;
}

enum exit_code results_exit(const json_t *results, bool selects, bool all)
{
    assert(json_is_array(results));
    struct counted counted = count_verdicts(results, selects);
    size_t done = counted.done;
    enum verdict worst = counted.worst;
    assert(done + counted.not_found <= json_array_size(results));
    if (worst == VERDICT_PARTLY) return CLI_PARTLY;
    if (worst != VERDICT_DONE && done > 0) return CLI_PARTLY;
    if (worst == VERDICT_FAILED) return CLI_FAILED;
    if (worst == VERDICT_CONFLICT) return CLI_CONFLICT;
    if (selects) return done > 0 || all ? CLI_OK : CLI_NOT_FOUND;
    if (counted.not_found > 0) return done > 0 ? CLI_PARTLY : CLI_NOT_FOUND;
    return CLI_OK;
}

/* Whether a result lists the job as changed. */
static bool is_listed(const json_t *results, const char *name)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const json_t *difference = json_object_get(result, "diff");
        const json_t *jobs = json_object_get(difference != NULL ? difference : result, "jobs");
        for (size_t j = 0; j < json_array_size(jobs); j++) {
            const char *group = text_or_empty(json_array_get(jobs, j), "group");
            const char *id = text_or_empty(json_array_get(jobs, j), "id");
            size_t bytes = strlen(group);
            if (strncmp(name, group, bytes) == 0 && name[bytes] == '/' &&
                strcmp(name + bytes + 1, id) == 0)
                return true;
        }
    }
    return false;
}

static bool is_first(const char *const *names, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(names[i], names[at]) == 0) return false;
    return true;
}

size_t results_missing(const json_t *results, const char *const *names, size_t count, bool *listed)
{
    assert(json_is_array(results));
    assert(names != NULL || count == 0);
    size_t missing = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const char *outcome = text_or_empty(json_array_get(results, i), "outcome");
        if (strcmp(outcome, "duplicate") == 0) return 0; /* it does not tell */
    }
    for (size_t i = 0; i < count; i++) missing += is_first(names, i);
    json_int_t matched = results_total(results, "matched");
    missing -= matched < (json_int_t)missing ? (size_t)matched : missing;
    for (size_t i = 0; i < count; i++)
        listed[i] = missing > 0 && is_first(names, i) && !is_listed(results, names[i]);
    return missing;
}

void value_print(const struct settings *settings, const json_t *value)
{
    assert(value != NULL);
    assert(settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON);
    size_t safe = settings->width > 0 ? JSON_ENSURE_ASCII : 0; /* on a terminal */
    if (settings->output == OUTPUT_JSON) {
        (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | safe);
        (void)fputc('\n', stdout);
        return;
    }
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        (void)json_dumpf(item, stdout, JSON_COMPACT | JSON_ENCODE_ANY | safe);
        (void)fputc('\n', stdout);
    }
}

void rows_print(const struct settings *settings, const json_t *rows, const char *name)
{
    if (settings->output != OUTPUT_NAME) {
        value_print(settings, rows);
        return;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *text = json_member_text(json_array_get(rows, i), name);
        if (text == NULL) continue;
        print_safe(stdout, text, strlen(text));
        (void)fputc('\n', stdout);
    }
}

static void say(const char *text)
{
    print_safe(stderr, text, strlen(text));
}

/* "belfry: billing/a: exists: a job of this name exists (at /jobs/0)" */
static void print_fault(const json_t *fault, const char *prefix)
{
    assert(json_is_object(fault));
    const char *group = json_member_text(fault, "group");
    const char *id = json_member_text(fault, "id");
    const char *code = text_or_empty(fault, "code");
    const char *field = text_or_empty(fault, "field");
    say("belfry: ");
    say(prefix);
    if (group != NULL && id != NULL) {
        say(group);
        say("/");
        say(id);
        say(": ");
    }
    say(code);
    if (code[0] != '\0') say(": ");
    say(text_or_empty(fault, "message"));
    if (field[0] != '\0') {
        say(" (at ");
        say(field);
        say(")");
    }
    (void)fputc('\n', stderr);
}

static void print_list(const json_t *result, const char *member, const char *prefix)
{
    assert(result != NULL);
    const json_t *list = json_object_get(result, member);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *fault = json_array_get(list, i);
        if (json_is_object(fault)) print_fault(fault, prefix);
    }
}

/* Of several commands one shard may answer more than once. */
static bool is_new_shard(bool seen[SHARDS_MAX], const json_t *result)
{
    json_int_t shard = json_member_number(result, "shard", 0);
    bool is_new = shard >= 0 && shard < SHARDS_MAX && !seen[shard];
    if (is_new) seen[shard] = true;
    return is_new;
}

/* One line for each outcome that came, then every fault and warning. */
static void print_talk(const json_t *results)
{
    static const enum outcome outcomes[] = {OUTCOME_APPLIED,  OUTCOME_UNCHANGED, OUTCOME_DUPLICATE,
                                            OUTCOME_PARTIAL,  OUTCOME_CONFLICT,  OUTCOME_EXPIRED,
                                            OUTCOME_REJECTED};
    assert(json_is_array(results));
    bool dry = json_is_true(json_object_get(json_array_get(results, 0), "dry_run"));
    for (size_t o = 0; o < sizeof outcomes / sizeof outcomes[0]; o++) {
        const char *word = outcome_name(outcomes[o]);
        bool seen[SHARDS_MAX] = {false};
        json_int_t shards = 0;
        json_int_t matched = 0;
        json_int_t changed = 0;
        for (size_t i = 0; i < json_array_size(results); i++) {
            const json_t *result = json_array_get(results, i);
            if (strcmp(text_or_empty(result, "outcome"), word) != 0) continue;
            shards += is_new_shard(seen, result);
            matched += json_member_number(result, "matched", 0);
            changed += json_member_number(result, "changed", 0);
        }
        if (shards > 0)
            (void)fprintf(stderr, "belfry: %s%s: %lld matched, %lld %schanged, on %lld %s\n",
                          dry ? "dry run: " : "", word, (long long)matched,
                          (long long)changed, dry ? "would be " : "", (long long)shards,
                          shards == 1 ? "shard" : "shards");
    }
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        print_list(result, "warnings", "warning: ");
        print_list(result, "errors", "");
        bool told = json_array_size(json_object_get(result, "errors")) > 0;
        bool faulty = text_or_empty(result, "code")[0] != '\0' ||
                      text_or_empty(result, "message")[0] != '\0';
        if (faulty && !told) print_fault(result, "");
    }
}

void results_print(const struct settings *settings, const json_t *results)
{
    assert(json_is_array(results));
    if (settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON)
        value_print(settings,
                    json_array_size(results) == 1 ? json_array_get(results, 0) : results);
    else
        result_jobs_print(settings, results);
    (void)fflush(stdout);
    print_talk(results);
}
