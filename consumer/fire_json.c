/* fire_json.c - a fire as structured CloudEvents JSON. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/fail.h"
#include "consumer/fire.h"
#include "consumer/text.h"
#include "lib/base/base64.h"
#include "lib/base/json_scan.h"

/* True if the payload can stand in a JSON text as it is. */
static bool data_is_json(const struct belfry_fire *fire)
{
    assert(fire->data != NULL);
    if (!belfry_media_is_json(fire->content_type)) return false;
    size_t depth = json_scan_depth((struct text){fire->data, fire->data_bytes});
    if (depth >= BELFRY_FIRE_DEPTH_MAX) return false; /* it goes one deeper */
    json_t *value = json_loadb(fire->data, fire->data_bytes, JSON_DECODE_ANY, NULL);
    bool is_json = value != NULL;
    json_decref(value);
    return is_json;
}

/* The object's text, opened again for one more member: `room` bytes follow the cut. */
static char *open_text(const char *object, size_t room, size_t *length)
{
    assert(object != NULL && room > 0);
    *length = strlen(object) - 1;
    assert(object[*length] == '}');
    char *text = malloc(*length + room);
    if (text != NULL) memcpy(text, object, *length);
    return text;
}

static char *with_data(const struct belfry_fire *fire, const char *object, size_t *bytes)
{
    assert(fire->data != NULL);
    assert(object != NULL);
    bool json = data_is_json(fire);
    const char *name = json ? ",\"data\":" : ",\"data_base64\":\"";
    const char *end = json ? "}" : "\"}";
    size_t value_bytes = json ? fire->data_bytes : base64_encoded_length(fire->data_bytes);
    size_t length = 0;
    char *text = open_text(object, strlen(name) + value_bytes + strlen(end) + 1, &length);
    if (text == NULL) return NULL;
    memcpy(text + length, name, strlen(name));
    length += strlen(name);
    if (json) memcpy(text + length, fire->data, value_bytes);
    else base64_encode((struct text){fire->data, fire->data_bytes}, text + length);
    length += value_bytes;
    memcpy(text + length, end, strlen(end) + 1);
    *bytes = length + strlen(end);
    return text;
}

static char *binary_json(const struct belfry_holder *holder, size_t *bytes)
{
    assert(holder->raw == NULL);
    char *object = json_dumps(holder->attributes, JSON_COMPACT);
    if (object == NULL) return NULL;
    char *text = NULL;
    if (holder->fire.data != NULL) {
        text = with_data(&holder->fire, object, bytes);
        free(object);
    } else {
        text = object;
        *bytes = strlen(object);
    }
    return text;
}

/* Puts back into the copy of a plain fire's value what its terminators took the place of. */
static void restore(const struct belfry_holder *holder, char *text)
{
    assert(holder->plain);
    char *end = text + holder->raw_bytes;
    char *at = text;
    while ((at = memchr(at, '\0', (size_t)(end - at))) != NULL) *at++ = '"';
    if (holder->fire.data == NULL) return;
    at = text + ((const char *)holder->fire.data - holder->raw);
    at[holder->fire.data_bytes] = holder->data_end;
}

char *belfry_fire_json(const struct belfry_fire *fire, size_t *bytes, struct belfry_error *error)
{
    if (fire == NULL || bytes == NULL) {
        belfry_fail(error, BELFRY_ERROR_INVALID, "fire and bytes must not be NULL");
        return NULL;
    }
    const struct belfry_holder *holder = (const struct belfry_holder *)fire;
    char *text = NULL;
    if (holder->raw != NULL) {
        text = malloc(holder->raw_bytes + 1);
        if (text != NULL) {
            memcpy(text, holder->raw, holder->raw_bytes);
            if (holder->plain) restore(holder, text);
            text[holder->raw_bytes] = '\0';
            *bytes = holder->raw_bytes;
        }
    } else {
        text = binary_json(holder, bytes);
    }
    if (text == NULL) belfry_fail_memory(error, "the text of a fire");
    return text;
}
