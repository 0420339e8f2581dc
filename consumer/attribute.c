#include "consumer/attribute.h"

#include <assert.h>
#include <string.h>

#include "consumer/fail.h"
#include "lib/time/instant.h"

#define NOWHERE SIZE_MAX
#define FIELD(member) offsetof(struct belfry_fire, member)
#define NAME(text) text, sizeof(text) - 1
#define TEXT BELFRY_ATTRIBUTE_TEXT
#define INTEGER BELFRY_ATTRIBUTE_INTEGER
#define INSTANT BELFRY_ATTRIBUTE_INSTANT

const struct belfry_attribute belfry_attributes[BELFRY_ATTRIBUTES] = {
    {NAME("specversion"), TEXT, true, "1.0", NOWHERE, NOWHERE, 0},
    {NAME("type"), TEXT, true, "belfry.fire.v1", NOWHERE, NOWHERE, 0},
    {NAME("source"), TEXT, true, NULL, FIELD(source), NOWHERE, 0},
    {NAME("id"), TEXT, true, NULL, FIELD(id), NOWHERE, 0},
    {NAME("subject"), TEXT, true, NULL, FIELD(subject), NOWHERE, 0},
    {NAME("time"), INSTANT, true, NULL, FIELD(time), FIELD(time_ms), 0},
    {NAME("dueat"), INSTANT, true, NULL, FIELD(due), FIELD(due_ms), 0},
    {NAME("jobgroup"), TEXT, true, NULL, FIELD(group), NOWHERE, 0},
    {NAME("jobid"), TEXT, true, NULL, FIELD(job_id), NOWHERE, 0},
    {NAME("jobincarnation"), TEXT, true, NULL, FIELD(incarnation), NOWHERE, 0},
    {NAME("jobrevision"), INTEGER, true, NULL, NOWHERE, FIELD(revision), 1},
    {NAME("firekind"), TEXT, true, NULL, FIELD(kind), NOWHERE, 0},
    {NAME("latenessms"), INTEGER, true, NULL, NOWHERE, FIELD(lateness_ms), INT64_MIN},
    {NAME("missedcount"), INTEGER, true, NULL, NOWHERE, FIELD(missed_count), 0},
    {NAME("attempt"), INTEGER, true, NULL, NOWHERE, FIELD(attempt), 1},
    {NAME("traceparent"), TEXT, false, NULL, FIELD(traceparent), NOWHERE, 0},
    {NAME("datacontenttype"), TEXT, false, NULL, FIELD(content_type), NOWHERE, 0},
};

int belfry_attribute_find(struct text name)
{
    int row = 0;
    while (row < BELFRY_ATTRIBUTES &&
           !text_equal(
               name, (struct text){belfry_attributes[row].name, belfry_attributes[row].name_bytes}))
        row++;
    return row;
}

bool belfry_not_fire(struct belfry_error *error, const char *name, const char *wanted)
{
    assert(name != NULL);
    assert(wanted != NULL);
    return belfry_fail(error, BELFRY_ERROR_INVALID, "not a fire: %s %s", name, wanted);
}

static void text_set(struct belfry_fire *fire, size_t offset, const char *text)
{
    if (offset == NOWHERE) return;
    assert(offset <= sizeof *fire - sizeof text);
    memcpy((char *)fire + offset, &text, sizeof text);
}

static void number_set(struct belfry_fire *fire, size_t offset, int64_t number)
{
    if (offset == NOWHERE) return;
    assert(offset <= sizeof *fire - sizeof number);
    memcpy((char *)fire + offset, &number, sizeof number);
}

bool belfry_attribute_number(const struct belfry_attribute *row, int64_t number,
                             struct belfry_fire *fire, struct belfry_error *error)
{
    assert(row->kind == BELFRY_ATTRIBUTE_INTEGER);
    if (number < row->min) return belfry_not_fire(error, row->name, "is below what is allowed");
    number_set(fire, row->number_offset, number);
    return true;
}

bool belfry_attribute_text(const struct belfry_attribute *row, const char *text, size_t length,
                           struct belfry_fire *fire, struct belfry_error *error)
{
    assert(row->kind != BELFRY_ATTRIBUTE_INTEGER);
    assert(strlen(text) == length);
    if (length == 0 || length > BELFRY_ATTRIBUTE_BYTES_MAX)
        return belfry_not_fire(error, row->name, "must have 1 to 1024 bytes");
    if (row->exactly != NULL && strcmp(text, row->exactly) != 0) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "not a fire: %s is \"%.40s\", only \"%s\" is known", row->name, text,
                           row->exactly);
    }
    text_set(fire, row->text_offset, text);
    if (row->kind != BELFRY_ATTRIBUTE_INSTANT) return true;
    int64_t instant_ms = 0;
    if (!instant_parse_any_year(text, length, &instant_ms))
        return belfry_not_fire(error, row->name, "must be an RFC 3339 time with an offset");
    number_set(fire, row->number_offset, instant_ms);
    return true;
}

bool belfry_attributes_end(struct belfry_fire *fire, struct belfry_error *error)
{
    size_t group_length = strlen(fire->group);
    if (strncmp(fire->subject, fire->group, group_length) != 0 ||
        fire->subject[group_length] != '/' ||
        strcmp(fire->subject + group_length + 1, fire->job_id) != 0)
        return belfry_not_fire(error, "subject", "must be jobgroup, \"/\" and jobid");
    if (fire->content_type == NULL) fire->content_type = "application/json";
    assert(fire->id != NULL && fire->due != NULL);
    return true;
}
