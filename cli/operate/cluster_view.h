/* cluster_view.h - a cluster at a glance: what its daemons say of their shards, added up, and what
 * is not well. Pure: belfry status and belfry top show it. */
#ifndef BELFRY_CLI_CLUSTER_VIEW_H
#define BELFRY_CLI_CLUSTER_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store_redis_health.h"

/* What was found out about a cluster. */
struct cluster_look {
    int64_t now_ms;
    int32_t shards;
    const struct shard_report *reports; /* of each shard; owner "": nobody says how it is */
    int64_t snapshot_jobs;              /* as the snapshots in Redis say */
    int32_t shards_not_whole;           /* of which Redis has lost something */
    int32_t group_members;              /* FIGURE_UNKNOWN: Kafka was not asked, or did not answer */
    const char *kafka_fault;            /* NULL: it answered, or was not asked */
};

struct daemon_view {
    const char *owner; /* borrowed from its reports */
    const char *version;
    const char *tz_version;
    int32_t shards;
    int32_t live;
    int64_t clock_ahead_ms; /* the furthest off of its shards */
    struct shard_figures sum;
};

struct cluster_view {
    const struct cluster_look *look;
    struct daemon_view *daemons; /* those that say something, by name; owned */
    int32_t daemon_count;
    int32_t live;
    int32_t stuck;
    int32_t silent;  /* shards that nobody says anything of */
    int32_t telling; /* shards whose figures are in the sum */
    struct shard_figures sum;
    int32_t taken_last; /* the shard that was taken over last; -1: not known */
    json_t *faults;  /* texts: what is not well, then "; " and what to do; owned */
};

/* One of them, or none: it is starting, waiting, failed or ended. */
bool shard_is_silent(const struct shard_report *report); /* nobody has said anything lately */
bool shard_is_stuck(const struct shard_report *report);
bool shard_is_live(const struct shard_report *report);

/* Adds a shard to a text as "3, 5, 8", which " ..." ends where there is no room for another. */
void shard_list_add(char *text, size_t bytes, int32_t shard);

void cluster_view_make(struct cluster_view *view, const struct cluster_look *look);
void cluster_view_free(struct cluster_view *view);

/* Nothing is wrong. */
bool cluster_view_well(const struct cluster_view *view);

/* Events a second in the time between a report and the one before; -1: not known. */
double figures_rate(const struct shard_figures *figures, int64_t count);

/* A figure of `-o json`: null where it is not known. */
json_t *figure_json(int64_t figure);
json_t *figure_instant_json(int64_t instant_ms);

/* The sum as members of an object. */
json_t *cluster_view_json(const struct cluster_view *view);

/* "-" where it is not known; 1204 as 1,204. All return `text`. */
enum { FIGURE_BYTES = 40 };
const char *figure_text(int64_t figure, char text[FIGURE_BYTES]);
const char *rate_text(double rate, char text[FIGURE_BYTES]);
/* "1 job", "1,204 jobs", "- jobs". */
const char *counted_text(int64_t figure, const char *what, char text[FIGURE_BYTES]);
/* 95000 ms as "1m35s": the two largest units. */
const char *age_text(int64_t age_ms, char text[FIGURE_BYTES]);

#endif
