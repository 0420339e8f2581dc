/* dead_letters.h - what the dead letters are about, who has dealt with them, and which of them a
 * command line means. A letter is a command or a report that was refused, or a run that has failed
 * for good; an acknowledgement is a record of the same topic that names letters of its partition.
 * Letters are held by what is needed to list them; what they say in full is read again. */
#ifndef BELFRY_CLI_DEAD_LETTERS_H
#define BELFRY_CLI_DEAD_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/kafka/topic_scan.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "schemas/text_writer.h"

enum dead_kind { DEAD_COMMAND = 0, DEAD_REPORT, DEAD_RUN };
const char *dead_kind_word(enum dead_kind kind);

/* A record of the topic as it was read. Texts may be empty. */
struct dead_record {
    int32_t partition;
    int64_t offset;
    int64_t at_ms; /* INT64_MIN: not known */
    struct text value;
    struct text key;
    struct text topic;   /* header dlq_topic: where the original stands */
    struct text code;    /* dlq_code */
    struct text message; /* dlq_message */
    struct text field;   /* dlq_field: which one of the original that is about */
};

struct dead_row {
    int32_t partition;
    int64_t offset;
    int64_t at_ms;
    enum dead_kind kind;
    bool acknowledged;
    char *bytes; /* of the texts below; owned */
    struct text group; /* of a command: the record's key */
    struct text id;
    struct text run;     /* id of its fire */
    struct text code;    /* of a run: its outcome */
    struct text message;
};

struct dead_place {
    int32_t partition;
    int64_t first;
    int64_t last; /* included */
};

/* Which ones: each that is given must fit. */
struct dead_filter {
    const struct dead_place *places; /* NULL: any */
    size_t place_count;
    const char *group; /* NULL: any; so with the next ones */
    const char *id;
    const char *code;
    const char *kind;
    int64_t before_ms; /* INT64_MAX: any */
    int64_t after_ms;  /* INT64_MIN: any */
    bool acknowledged; /* those that are dealt with, too */
    int64_t most;      /* the oldest so many; -1: all */
};

/* Each one that nobody has dealt with. */
struct dead_filter dead_filter_any(void);

/* The words of --group, --id, --code, --kind, --older, --newer, --acknowledged and --count, and
 * the places among the words from `first` on, PARTITION/OFFSET or PARTITION/FIRST-LAST. `places`
 * is the caller's to free. Errors: code "usage". */
bool dead_filter_read(struct dead_filter *filter, struct dead_place **places,
                      const struct arguments *arguments, size_t first, int64_t now_ms,
                      struct error *error) __attribute__((warn_unused_result));

/* For what changes something: the words must say which ones, or --all. Errors: code "usage". */
bool dead_filter_must_name(const struct dead_filter *filter, const struct arguments *arguments,
                           struct error *error) __attribute__((warn_unused_result));

/* Zero-initialise; dead_list_free() ends it. */
struct dead_list {
    struct dead_row *rows;
    size_t count;
    size_t capacity;
    struct dead_place *done; /* acknowledged */
    size_t done_count;
    size_t done_capacity;
    const struct dead_row **places; /* the rows in the order of their places */
    bool cut; /* older ones were not looked at */
    struct text_writer scratch;
};

/* Pure: a record goes in; afterwards the rows are those that fit, oldest first. */
void dead_list_note(struct dead_list *list, const struct dead_filter *filter,
                    const struct dead_record *record);
void dead_list_settle(struct dead_list *list, const struct dead_filter *filter);
/* After that: NULL, it is not listed. */
const struct dead_row *dead_list_find(const struct dead_list *list, int32_t partition,
                                      int64_t offset);
void dead_list_free(struct dead_list *list);

/* For qsort(): of pointers to rows. */
int dead_rows_by_place(const void *left, const void *right);

/* Reads the topic and settles.
 *   last    at most so many records of each partition, 0 = all
 *   errors  as topic_scan() */
bool dead_list_read(struct dead_list *list, const struct settings *settings,
                    const struct dead_filter *filter, int64_t last, struct error *error)
    __attribute__((warn_unused_result));

/* Reads again what those that are listed say. False stops.
 *   errors  as topic_scan() */
typedef bool dead_visitor(void *opaque, const struct dead_row *row,
                          const rd_kafka_message_t *message);
bool dead_list_visit(const struct dead_list *list, const struct settings *settings,
                     dead_visitor *visitor, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

#endif
