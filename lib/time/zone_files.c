#include "lib/time/zone_files.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/time/zone_names.h"

enum {
    FILE_BYTES_MAX = 128 * 1024,
    FILES_MAX = 4096,
    PATH_BYTES = 1024,
    DEPTH_MAX = 3,
    VERSION_LINE_BYTES = 64,
    RELEASE_BYTES_MAX = 6
};

struct entry { /* one file, as it was when all were read */
    char *name;
    uint8_t *bytes;
    size_t length;
    _Atomic(const struct zone *) zone; /* NULL: not asked for yet, or not readable */
};

/* Everything is read when the first zone or the version is asked for, in one go: tables and version
 * are of one state of the directory. What has been read does not change; only tables are decoded
 * when they are asked for. */
struct zone_files {
    char directory[PATH_BYTES];
    char version[ZONE_VERSION_BYTES];
    struct zone_lookup lookup;
    pthread_mutex_t mutex; /* guards reading and decoding */
    atomic_bool loaded;
    struct entry *entries; /* by name */
    size_t count;
    size_t capacity;
};

/* ---- files ---- */

static bool path_of(const struct zone_files *files, const char *name, char *path, size_t bytes)
{
    int length = snprintf(path, bytes, "%s/%s", files->directory, name);
    return length > 0 && (size_t)length < bytes;
}

/* The bytes of a regular file, owned by the caller; NULL when there is none or it is too large. */
static uint8_t *read_file(const char *path, size_t *length)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return NULL;
    struct stat status;
    uint8_t *bytes = NULL;
    size_t filled = 0;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        status.st_size > FILE_BYTES_MAX)
        goto out;
    bytes = memory_allocate((size_t)status.st_size, 1);
    while (filled < (size_t)status.st_size) {
        ssize_t got = read(descriptor, bytes + filled, (size_t)status.st_size - filled);
        if (got <= 0) break;
        filled += (size_t)got;
    }
out:
    (void)close(descriptor);
    *length = filled;
    return bytes;
}

static void add_file(struct zone_files *files, const char *name)
{
    char path[PATH_BYTES];
    size_t length = 0;
    if (files->count == FILES_MAX || !path_of(files, name, path, sizeof path)) return;
    uint8_t *bytes = read_file(path, &length);
    if (bytes == NULL) return;
    files->entries =
        memory_grow(files->entries, &files->capacity, files->count + 1, sizeof *files->entries);
    struct entry *entry = &files->entries[files->count++];
    entry->name = memory_copy_text(name, strlen(name));
    entry->bytes = bytes;
    entry->length = length;
    atomic_init(&entry->zone, NULL);
}

static void walk(struct zone_files *files, const char *prefix, int depth)
{
    char path[PATH_BYTES];
    if (!path_of(files, prefix, path, sizeof path)) return;
    DIR *directory = opendir(path);
    if (directory == NULL) return;
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        char name[PATH_BYTES];
        struct stat status;
        int length = snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/",
                              entry->d_name);
        if (length <= 0 || (size_t)length >= sizeof name || !zone_name_is_portable(text_of(name)))
            continue;
        if (!path_of(files, name, path, sizeof path) || stat(path, &status) != 0) continue;
        if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX) walk(files, name, depth + 1);
        else if (S_ISREG(status.st_mode)) add_file(files, name);
    }
    (void)closedir(directory);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct entry *)left)->name, ((const struct entry *)right)->name);
}

/* ---- version ---- */

/* "# version 2025b" at the start of tzdata.zi, or a file that holds only the version. */
static void read_release(const struct zone_files *files, char release[RELEASE_BYTES_MAX + 1])
{
    static const struct {
        const char *file;
        const char *before;
    } places[] = {{"tzdata.zi", "# version "}, {"+VERSION", ""}};
    (void)snprintf(release, RELEASE_BYTES_MAX + 1, "zones");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[PATH_BYTES];
        char line[VERSION_LINE_BYTES] = "";
        if (!path_of(files, places[i].file, path, sizeof path)) continue;
        FILE *file = fopen(path, "re");
        if (file == NULL) continue;
        bool read = fgets(line, sizeof line, file) != NULL;
        (void)fclose(file);
        size_t skip = strlen(places[i].before);
        if (!read || strncmp(line, places[i].before, skip) != 0) continue;
        size_t length = strcspn(line + skip, " \t\r\n");
        if (length == 0) continue;
        (void)snprintf(release, RELEASE_BYTES_MAX + 1, "%.*s", (int)length, line + skip);
        return;
    }
}

/* Of the names and the bytes that were read, whatever the release calls itself. */
static uint64_t digest_of(const struct zone_files *files)
{
    static const uint8_t key[HASH_KEY_BYTES] = "belfry zone data";
    uint64_t digest = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct entry *entry = &files->entries[i];
        uint64_t words[3] = {digest, hash_siphash(key, entry->name, strlen(entry->name)),
                             hash_siphash(key, entry->bytes, entry->length)};
        digest = hash_siphash(key, words, sizeof words);
    }
    return digest;
}

static void load_all(struct zone_files *files)
{
    char release[RELEASE_BYTES_MAX + 1];
    if (atomic_load_explicit(&files->loaded, memory_order_acquire)) return;
    (void)pthread_mutex_lock(&files->mutex);
    if (!atomic_load_explicit(&files->loaded, memory_order_relaxed)) {
        read_release(files, release);
        walk(files, "", 0);
        if (files->count > 0) qsort(files->entries, files->count, sizeof *files->entries, by_name);
        (void)snprintf(files->version, sizeof files->version, "%s-%08x", release,
                       (unsigned)digest_of(files));
        atomic_store_explicit(&files->loaded, true, memory_order_release);
    }
    (void)pthread_mutex_unlock(&files->mutex);
}

/* ---- looking up ---- */

void zone_files_each(struct zone_files *files, bool (*visit)(void *opaque, const char *name),
                     void *opaque)
{
    assert(files != NULL && visit != NULL);
    load_all(files);
    bool going = true;
    for (size_t i = 0; i < files->count && going; i++)
        going = visit(opaque, files->entries[i].name);
}

static struct entry *entry_of(struct zone_files *files, struct text name)
{
    size_t first = 0;
    size_t end = files->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        struct text one = text_of(files->entries[middle].name);
        size_t common = one.length < name.length ? one.length : name.length;
        int order = memcmp(one.bytes, name.bytes, common);
        if (order == 0 && one.length == name.length) return &files->entries[middle];
        if (order < 0 || (order == 0 && one.length < name.length)) first = middle + 1;
        else end = middle;
    }
    return NULL;
}

static const struct zone *decoded(struct zone_files *files, struct entry *entry,
                                  struct error *error)
{
    (void)pthread_mutex_lock(&files->mutex);
    const struct zone *zone = atomic_load_explicit(&entry->zone, memory_order_relaxed);
    if (zone == NULL) {
        zone = zone_decode(text_of(entry->name), entry->bytes, entry->length, error);
        atomic_store_explicit(&entry->zone, zone, memory_order_release);
    }
    (void)pthread_mutex_unlock(&files->mutex);
    return zone;
}

static const struct zone *find(void *opaque, struct text name, struct error *error)
{
    struct zone_files *files = opaque;
    load_all(files);
    struct entry *entry = entry_of(files, name);
    if (entry == NULL) {
        (void)error_invalid(error, CODE_UNKNOWN_ZONE, "'%.*s' is not a time zone of this system",
                            (int)name.length, name.bytes);
        return NULL;
    }
    const struct zone *zone = atomic_load_explicit(&entry->zone, memory_order_acquire);
    return zone != NULL ? zone : decoded(files, entry, error);
}

static void suggest(void *opaque, struct text name, struct error *error)
{
    struct zone_files *files = opaque;
    struct zone_near near = {.wanted = name};
    char offer[ZONE_NEAR_TEXT_BYTES];
    if (entry_of(files, name) != NULL) return; /* it is there and cannot be read */
    for (size_t i = 0; i < files->count; i++) zone_near_offer(&near, files->entries[i].name);
    zone_near_text(&near, offer);
    error_append(error, offer);
}

const struct zone_lookup *zone_files_lookup(const struct zone_files *files)
{
    assert(files != NULL);
    return &files->lookup;
}

const char *zone_files_version(struct zone_files *files)
{
    assert(files != NULL);
    load_all(files);
    return files->version;
}

size_t zone_files_bytes(struct zone_files *files)
{
    load_all(files);
    size_t bytes = files->capacity * sizeof *files->entries;
    for (size_t i = 0; i < files->count; i++)
        bytes += files->entries[i].length + strlen(files->entries[i].name) + 1;
    return bytes;
}

struct zone_files *zone_files_create(const char *directory)
{
    struct zone_files *files = memory_allocate(1, sizeof *files);
    const char *chosen = directory != NULL ? directory : getenv("TZDIR");
    if (chosen == NULL || chosen[0] == '\0') chosen = "/usr/share/zoneinfo";
    (void)snprintf(files->directory, sizeof files->directory, "%s", chosen);
    (void)pthread_mutex_init(&files->mutex, NULL);
    files->lookup = (struct zone_lookup){.find = find, .suggest = suggest, .opaque = files};
    return files;
}

void zone_files_destroy(struct zone_files *files)
{
    if (files == NULL) return;
    for (size_t i = 0; i < files->count; i++) {
        free(files->entries[i].name);
        free(files->entries[i].bytes);
        free((void *)(uintptr_t)atomic_load(&files->entries[i].zone));
    }
    free(files->entries);
    (void)pthread_mutex_destroy(&files->mutex);
    free(files);
}
