#include "dispatcher/engine/name_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "schemas/text_writer.h"

void name_list_add(struct name_list *list, struct text name)
{
    list->texts = memory_grow(list->texts, &list->capacity, list->count + 1, sizeof *list->texts);
    list->texts[list->count++] = memory_copy_text(name.bytes, name.length);
}

void name_list_add_record(struct name_list *list, int64_t sequence, struct text record)
{
    struct text_writer writer;
    text_writer_init(&writer);
    text_writer_integer(&writer, sequence);
    if (record.length > 0) text_writer_char(&writer, ' ');
    if (record.length > 0) text_writer_raw(&writer, record);
    name_list_add(list, text_writer_text(&writer));
    text_writer_free(&writer);
}

void name_list_drop_written(struct name_list *list)
{
    size_t count = list->written;
    assert(count <= list->sent && list->sent <= list->count);
    for (size_t i = 0; i < count; i++) free(list->texts[i]);
    if (count < list->count)
        memmove(list->texts, list->texts + count, (list->count - count) * sizeof *list->texts);
    list->count -= count;
    list->sent -= count;
    list->written = 0;
}

void name_list_free(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->texts[i]);
    free(list->texts);
    *list = (struct name_list){0};
}

void name_list_put(struct name_list *list, struct store_group *group, enum store_item_kind kind)
{
    for (size_t i = list->written; i < list->count; i++) {
        const char *name = list->texts[i];
        const char *space = kind == STORE_SEEN_PUT ? strchr(name, ' ') : NULL;
        struct store_item item = {.kind = kind, .name = name, .name_bytes = strlen(name)};
        if (space != NULL) {
            item.name_bytes = (size_t)(space - name);
            item.text = space + 1;
            item.text_bytes = strlen(space + 1);
        }
        store_group_add(group, &item);
    }
    list->sent = list->count;
}
