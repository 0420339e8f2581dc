#include "lib/time/zone_names.h"

#include "lib/base/suggest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool zone_name_is_portable(struct text name)
{
    return zone_name_is_valid(name) && name.bytes[0] >= 'A' && name.bytes[0] <= 'Z';
}

static char fold(char byte)
{
    if (byte >= 'A' && byte <= 'Z') return (char)(byte - 'A' + 'a');
    return byte == ' ' || byte == '-' ? '_' : byte;
}

/* As edit_distance(); capitals do not count. */
static size_t distance(struct text a, struct text b)
{
    char folded[2][ZONE_NAME_BYTES_MAX];
    assert(a.length <= ZONE_NAME_BYTES_MAX && b.length <= ZONE_NAME_BYTES_MAX);
    for (size_t i = 0; i < a.length; i++) folded[0][i] = fold(a.bytes[i]);
    for (size_t i = 0; i < b.length; i++) folded[1][i] = fold(b.bytes[i]);
    return edit_distance(folded[0], a.length, folded[1], b.length);
}

static struct text last_part(struct text name)
{
    size_t at = name.length;
    while (at > 0 && name.bytes[at - 1] != '/') at--;
    return (struct text){name.bytes + at, name.length - at};
}

void zone_near_offer(struct zone_near *near, const char *name)
{
    struct text offered = text_of(name);
    if (offered.length > ZONE_NAME_BYTES_MAX || near->wanted.length > ZONE_NAME_BYTES_MAX) return;
    struct text wanted_place = last_part(near->wanted);
    size_t whole = distance(near->wanted, offered);
    size_t place = distance(wanted_place, last_part(offered));
    /* The right place in the wrong region is nearer than one letter wrong in both. */
    size_t best = place * 2 + 1 < whole ? place * 2 + 1 : whole;
    if (best > wanted_place.length / 2 + 1) return;
    size_t at = near->count < ZONE_NEAR_MAX ? near->count++ : ZONE_NEAR_MAX - 1;
    if (at == ZONE_NEAR_MAX - 1 && near->best[at].name[0] != '\0' &&
        near->best[at].distance <= best)
        return;
    for (; at > 0 && near->best[at - 1].distance > best; at--) near->best[at] = near->best[at - 1];
    (void)snprintf(near->best[at].name, sizeof near->best[at].name, "%s", name);
    near->best[at].distance = best;
}

const char *zone_near_text(const struct zone_near *near, char text[ZONE_NEAR_TEXT_BYTES])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < near->count; i++) {
        const char *before = i == 0 ? "; did you mean " : i + 1 == near->count ? " or " : ", ";
        length += (size_t)snprintf(text + length, ZONE_NEAR_TEXT_BYTES - length, "%s%s", before,
                                   near->best[i].name);
        assert(length < ZONE_NEAR_TEXT_BYTES);
    }
    if (near->count > 0) (void)snprintf(text + length, ZONE_NEAR_TEXT_BYTES - length, "?");
    return text;
}
