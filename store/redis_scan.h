/* redis_scan.h - walks a hash of any size without blocking the server for long. */
#ifndef BELFRY_STORE_REDIS_SCAN_H
#define BELFRY_STORE_REDIS_SCAN_H

#include <stdbool.h>

#include "store/redis_connection.h"
#include "store/store.h"

/* Visits each field and value as an item of that kind, some perhaps twice. The server collects
 * the next slice while the visitor works. The visitor must not use the connection.
 * Errors: those of the connection and of the visitor. */
bool redis_scan_hash(struct redis_connection *connection, const char *key,
                     enum store_item_kind kind, store_item_visitor *visitor, void *opaque,
                     struct error *error) __attribute__((warn_unused_result));

#endif
