/* name_list.h - names, or names with a record, that the store is to be told. */
#ifndef BELFRY_ENGINE_NAME_LIST_H
#define BELFRY_ENGINE_NAME_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "store/store_group.h"

/* Zero-initialised = empty; end it with name_list_free(). */
struct name_list {
    char **texts; /* "name", or "name record" */
    size_t count;
    size_t capacity;
    size_t written; /* the first ones are in groups that were written */
    size_t sent;    /* behind these, up to here: in the one under way */
};

void name_list_add(struct name_list *list, struct text name);
/* "<sequence> <record>"; an empty record: only the sequence. */
void name_list_add_record(struct name_list *list, int64_t sequence, struct text record);
/* Forgets what was written. */
void name_list_drop_written(struct name_list *list);
/* It is empty then. */
void name_list_free(struct name_list *list);
/* All that are not written yet as items of that kind; they are `sent` then. */
void name_list_put(struct name_list *list, struct store_group *group, enum store_item_kind kind);

#endif
