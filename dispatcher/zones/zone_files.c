#include "dispatcher/zones/zone_files.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatcher/core/memory.h"
#include "dispatcher/zones/zone_names.h"

enum { FILE_BYTES_MAX = 128 * 1024, PATH_BYTES = 1024, DEPTH_MAX = 3, VERSION_LINE_BYTES = 64 };

struct zone_files {
    char directory[PATH_BYTES];
    char version[ZONE_VERSION_BYTES];
    struct zone_lookup lookup;
    pthread_mutex_t mutex; /* guards what follows */
    struct zone **zones;
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

static void walk(const struct zone_files *files, const char *prefix, int depth,
                 bool (*visit)(void *opaque, const char *name), void *opaque, bool *going)
{
    char path[PATH_BYTES];
    if (!path_of(files, prefix, path, sizeof path)) return;
    DIR *directory = opendir(path);
    if (directory == NULL) return;
    const struct dirent *entry = NULL;
    while (*going && (entry = readdir(directory)) != NULL) {
        char name[PATH_BYTES];
        struct stat status;
        int length = snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/",
                              entry->d_name);
        if (length <= 0 || (size_t)length >= sizeof name || !zone_name_is_portable(text_of(name)))
            continue;
        if (!path_of(files, name, path, sizeof path) || stat(path, &status) != 0) continue;
        if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX)
            walk(files, name, depth + 1, visit, opaque, going);
        else if (S_ISREG(status.st_mode))
            *going = visit(opaque, name);
    }
    (void)closedir(directory);
}

void zone_files_each(const struct zone_files *files, bool (*visit)(void *opaque, const char *name),
                     void *opaque)
{
    assert(files != NULL && visit != NULL);
    bool going = true;
    walk(files, "", 0, visit, opaque, &going);
}

/* ---- looking up ---- */

static const struct zone *known(const struct zone_files *files, struct text name)
{
    for (size_t i = 0; i < files->count; i++)
        if (text_equal(text_of(files->zones[i]->name), name)) return files->zones[i];
    return NULL;
}

static bool offer_name(void *opaque, const char *name)
{
    zone_near_offer(opaque, name);
    return true;
}

static struct zone *load(const struct zone_files *files, struct text name, struct error *error)
{
    char terminated[ZONE_NAME_BYTES_MAX + 1] = "";
    char path[PATH_BYTES];
    size_t length = 0;
    assert(name.length <= ZONE_NAME_BYTES_MAX);
    memcpy(terminated, name.bytes, name.length);
    uint8_t *bytes = NULL;
    if (zone_name_is_portable(name) && path_of(files, terminated, path, sizeof path))
        bytes = read_file(path, &length);
    if (bytes != NULL) {
        struct zone *zone = zone_decode(name, bytes, length, error);
        free(bytes);
        return zone;
    }
    struct zone_near near = {.wanted = name};
    char offer[ZONE_NEAR_TEXT_BYTES];
    zone_files_each(files, offer_name, &near);
    zone_near_text(&near, offer);
    (void)error_invalid(error, "unknown_zone", "'%s' is not a time zone of this system%s",
                        terminated, offer);
    return NULL;
}

static const struct zone *find(void *opaque, struct text name, struct error *error)
{
    struct zone_files *files = opaque;
    (void)pthread_mutex_lock(&files->mutex);
    const struct zone *zone = known(files, name);
    if (zone == NULL) {
        struct zone *loaded = load(files, name, error);
        if (loaded != NULL) {
            files->zones = memory_grow(files->zones, &files->capacity, files->count + 1,
                                       sizeof(struct zone *));
            files->zones[files->count++] = loaded;
        }
        zone = loaded;
    }
    (void)pthread_mutex_unlock(&files->mutex);
    return zone;
}

const struct zone_lookup *zone_files_lookup(const struct zone_files *files)
{
    assert(files != NULL);
    return &files->lookup;
}

/* ---- version ---- */

/* "# version 2025b" at the start of tzdata.zi, or a file that holds only the version. */
static void read_version(struct zone_files *files)
{
    static const struct {
        const char *file;
        const char *before;
    } places[] = {{"tzdata.zi", "# version "}, {"+VERSION", ""}};
    (void)snprintf(files->version, sizeof files->version, "unknown");
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
        if (length == 0 || length >= sizeof files->version) continue;
        memcpy(files->version, line + skip, length);
        files->version[length] = '\0';
        return;
    }
}

const char *zone_files_version(const struct zone_files *files)
{
    assert(files != NULL);
    return files->version;
}

struct zone_files *zone_files_create(const char *directory)
{
    struct zone_files *files = memory_allocate(1, sizeof *files);
    const char *chosen = directory != NULL ? directory : getenv("TZDIR");
    if (chosen == NULL || chosen[0] == '\0') chosen = "/usr/share/zoneinfo";
    (void)snprintf(files->directory, sizeof files->directory, "%s", chosen);
    (void)pthread_mutex_init(&files->mutex, NULL);
    files->lookup = (struct zone_lookup){.find = find, .opaque = files};
    read_version(files);
    return files;
}

void zone_files_destroy(struct zone_files *files)
{
    if (files == NULL) return;
    for (size_t i = 0; i < files->count; i++) free(files->zones[i]);
    free(files->zones);
    (void)pthread_mutex_destroy(&files->mutex);
    free(files);
}
