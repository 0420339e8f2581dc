/* fire_plain.c - most of what belfryd writes to a fire, in one pass and one allocation.
 *
 * Takes a structured fire without white space, escapes and members that come twice, in any order.
 * It only passes over what it knows to be right, and leaves all else to the tree: so it never takes
 * what the tree refuses. The value is copied once; its texts end in that copy. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/attribute.h"
#include "consumer/fire.h"
#include "consumer/record.h"
#include "consumer/text.h"
#include "lib/base/json_scan.h"

struct pass {
    struct belfry_fire *fire;
    char *at;
    char *end; /* a NUL stands there */
    uint32_t seen; /* attributes, a bit for each row */
    int next;      /* the row that is expected */
    struct text data;
};

static bool take(struct pass *pass, char byte)
{
    if (*pass->at != byte) return false;
    pass->at++;
    return true;
}

/* From the quote before a text without escapes to behind the one after it. */
static bool take_text(struct pass *pass, struct text *text)
{
    if (!take(pass, '"')) return false;
    text->bytes = pass->at;
    text->length = (size_t)(json_scan_text(pass->at, pass->end) - pass->at);
    pass->at += text->length;
    return take(pass, '"');
}

static bool take_expected_name(struct pass *pass)
{
    if (pass->next == BELFRY_ATTRIBUTES) return false;
    const struct belfry_attribute *row = &belfry_attributes[pass->next];
    if ((size_t)(pass->end - pass->at) < row->name_bytes + sizeof "\"\":" - 1) return false;
    if (memcmp(pass->at + 1, row->name, row->name_bytes) != 0) return false;
    if (memcmp(pass->at + 1 + row->name_bytes, "\":", 2) != 0 || *pass->at != '"') return false;
    pass->at += row->name_bytes + sizeof "\"\":" - 1;
    return true;
}

static bool attribute_read(struct pass *pass, const struct belfry_attribute *row)
{
    struct text value = {pass->at, 0};
    if (row->kind != BELFRY_ATTRIBUTE_INTEGER) {
        if (!take_text(pass, &value)) return false;
        pass->at[-1] = '\0';
        return belfry_attribute_text(row, value.bytes, value.length, pass->fire, NULL);
    }
    int64_t number = 0;
    while (*pass->at == '-' || (*pass->at >= '0' && *pass->at <= '9')) pass->at++;
    value.length = (size_t)(pass->at - value.bytes);
    return belfry_integer_parse(value.bytes, value.length, &number) &&
           belfry_attribute_number(row, number, pass->fire, NULL);
}

/* Data, or what this version does not know. */
static bool other_read(struct pass *pass, struct text name)
{
    bool data = text_equal(name, text_of("data"));
    if (text_equal(name, text_of("data_base64"))) return false;
    if ((unsigned char)*pass->at <= ' ') return false; /* or the end */
    struct text value = {pass->at, (size_t)(pass->end - pass->at)};
    value.length = json_scan_plain(value);
    pass->at += value.length;
    if (value.length == 0 || (data && pass->data.bytes != NULL)) return false;
    if (data) pass->data = value;
    return true;
}

static bool member_read(struct pass *pass)
{
    if (!take_expected_name(pass)) {
        struct text name;
        if (!take_text(pass, &name) || !take(pass, ':')) return false;
        int row = belfry_attribute_find(name);
        if (row == BELFRY_ATTRIBUTES) return other_read(pass, name);
        pass->next = row;
    }
    uint32_t bit = UINT32_C(1) << pass->next;
    if ((pass->seen & bit) != 0) return false;
    pass->seen |= bit;
    return attribute_read(pass, &belfry_attributes[pass->next++]);
}

static bool members_read(struct pass *pass)
{
    if (!take(pass, '{')) return false;
    do {
        if (!member_read(pass)) return false;
    } while (take(pass, ','));
    return take(pass, '}') && pass->at == pass->end;
}

static bool has_required(uint32_t seen)
{
    static_assert(BELFRY_ATTRIBUTES <= 32, "a bit for each row");
    for (int i = 0; i < BELFRY_ATTRIBUTES; i++)
        if (belfry_attributes[i].required && (seen >> i & 1) == 0) return false;
    return true;
}

static bool value_read(struct belfry_holder *holder)
{
    struct belfry_fire *fire = &holder->fire;
    struct pass pass = {.fire = fire, .at = holder->raw, .end = holder->raw + holder->raw_bytes};
    if (!members_read(&pass) || !has_required(pass.seen)) return false;
    if (!belfry_attributes_end(fire, NULL)) return false;
    if (pass.data.bytes == NULL) return true;
    if (pass.data.bytes[0] == '"' && !belfry_media_is_json(fire->content_type)) return false;
    char *data_end = holder->raw + (pass.data.bytes - holder->raw) + pass.data.length;
    fire->data = pass.data.bytes;
    fire->data_bytes = pass.data.length;
    holder->data_end = *data_end;
    *data_end = '\0';
    return true;
}

struct belfry_fire *belfry_fire_decode_plain(const struct belfry_record *record)
{
    assert(record != NULL && record->topic != NULL);
    bool structured = false;
    if (!belfry_record_mode(record, &structured, NULL) || !structured) return NULL;
    if (record->value == NULL) return NULL;
    size_t topic_bytes = strlen(record->topic) + 1;
    struct belfry_holder *holder = malloc(sizeof *holder + topic_bytes + record->value_bytes + 1);
    if (holder == NULL) return NULL;
    *holder = (struct belfry_holder){
        .fire = {.partition = record->partition, .offset = record->offset},
        .plain = true,
        .topic = (char *)(holder + 1),
        .raw = (char *)(holder + 1) + topic_bytes,
        .raw_bytes = record->value_bytes,
    };
    memcpy(holder->topic, record->topic, topic_bytes);
    memcpy(holder->raw, record->value, record->value_bytes);
    holder->raw[record->value_bytes] = '\0';
    holder->fire.topic = holder->topic;
    bool read = value_read(holder) && (holder->fire.traceparent != NULL ||
                                       belfry_header_find(record, "traceparent") == NULL);
    if (read) return &holder->fire;
    free(holder);
    return NULL;
}
