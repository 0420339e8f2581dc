/* name_list.h - names, or names with a record, that the store is to be told. */
#ifndef BELFRY_ENGINE_NAME_LIST_H
#define BELFRY_ENGINE_NAME_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "dispatcher/core/text.h"
#include "store/store_group.h"

/* Zero-initialised = empty; end it with name_list_free(). */
struct name_list {
    char **texts; /* "name", or "name record" */
    size_t count;
    size_t capacity;
    size_t sent; /* the first `sent` are in the group under way */
};

void name_list_add(struct name_list *list, struct text name);
/* "<sequence> <record>"; an empty record: only the sequence. */
void name_list_add_record(struct name_list *list, int64_t sequence, struct text record);
/* Forgets the first `count`; none is sent then. */
void name_list_drop(struct name_list *list, size_t count);
void name_list_free(struct name_list *list);
/* All of them as items of that kind; they are `sent` then. */
void name_list_put(struct name_list *list, struct store_group *group, enum store_item_kind kind);

#endif
