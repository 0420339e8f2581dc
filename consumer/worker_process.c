/* worker_process.c - running one program: its own process group, the fire as a file on standard
 * input (so that a program that never reads cannot block anybody), TERM, then KILL. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "consumer/fail.h"
#include "consumer/state.h"
#include "consumer/worker.h"
#include "lib/base/monotonic.h"

enum { LOOK_EVERY_MS = 20 };

static bool is_program(const char *path)
{
    struct stat status;
    assert(path != NULL);
    if (stat(path, &status) != 0) return false;
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
        return false;
    }
    return access(path, X_OK) == 0;
}

char *belfry_program_find(const char *name, struct belfry_error *error)
{
    assert(name != NULL && name[0] != '\0');
    const char *list = strchr(name, '/') != NULL ? NULL : getenv("PATH");
    if (list == NULL) {
        if (strchr(name, '/') == NULL || !is_program(name)) {
            belfry_fail(error, BELFRY_ERROR_INVALID, "--exec %.120s cannot be run: %s", name,
                        strchr(name, '/') == NULL ? "PATH is not set" : strerrordesc_np(errno));
            return NULL;
        }
        char *copy = strdup(name);
        if (copy == NULL) belfry_fail_memory(error, "a path");
        return copy;
    }
    char *path = malloc(strlen(list) + strlen(name) + 3);
    if (path == NULL) {
        belfry_fail_memory(error, "a path");
        return NULL;
    }
    for (const char *folder = list;; folder++) {
        size_t length = strcspn(folder, ":");
        memcpy(path, folder, length);
        if (length == 0) path[length++] = '.';
        path[length] = '/';
        memcpy(path + length + 1, name, strlen(name) + 1);
        if (is_program(path)) return path;
        folder += strcspn(folder, ":");
        if (*folder == '\0') break;
    }
    free(path);
    belfry_fail(error, BELFRY_ERROR_INVALID,
                "--exec %.120s: no such program in PATH; give its "
                "path or install it",
                name);
    return NULL;
}

/* A file in memory with the text, open for reading at its start; -1 and errno. */
static int input_open(const char *text, size_t bytes)
{
    assert(text != NULL || bytes == 0);
    int file = memfd_create("belfry-fire", MFD_CLOEXEC);
    if (file < 0) return -1;
    size_t written = 0;
    while (written < bytes) {
        ssize_t count = write(file, text + written, bytes - written);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) break;
        written += (size_t)count;
    }
    if (written == bytes && lseek(file, 0, SEEK_SET) == 0) return file;
    int problem = errno;
    (void)close(file);
    errno = problem;
    return -1;
}

/* Fills in what the child starts with. Returns an errno. */
static int spawn_prepared(const struct belfry_run *run, int input,
                          posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                          pid_t *leader)
{
    sigset_t none;
    sigset_t defaults;
    assert(input >= 0);
    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)sigaddset(&defaults, SIGTERM);
    (void)sigaddset(&defaults, SIGINT);
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int problem = posix_spawnattr_setflags(attributes, flags);
    if (problem == 0) problem = posix_spawnattr_setpgroup(attributes, 0);
    if (problem == 0) problem = posix_spawnattr_setsigmask(attributes, &none);
    if (problem == 0) problem = posix_spawnattr_setsigdefault(attributes, &defaults);
    if (problem == 0) problem = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
    if (problem == 0)
        problem = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    if (problem == 0) {
        problem =
            posix_spawn(leader, run->path, actions, attributes, run->arguments, run->environment);
    }
    assert(problem != 0 || *leader > 0);
    return problem;
}

static int spawn(const struct belfry_run *run, int input, pid_t *leader)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    assert(run->path != NULL && run->arguments != NULL);
    int problem = posix_spawn_file_actions_init(&actions);
    if (problem != 0) return problem;
    problem = posix_spawnattr_init(&attributes);
    if (problem == 0) {
        problem = spawn_prepared(run, input, &actions, &attributes, leader);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return problem;
}

/* Starts the program and puts it on the list, in one step as belfry_running_kill() sees it. */
static int start(const struct belfry_run *run, struct belfry_running *running, pid_t *leader,
                 uint32_t *place)
{
    int input = input_open(run->input, run->input_bytes);
    if (input < 0) return errno;
    (void)pthread_mutex_lock(&running->lock);
    uint32_t free_place = 0;
    while (free_place < running->count && running->leaders[free_place] != 0) free_place++;
    assert(free_place < running->count); /* as many places as handler threads */
    int problem = spawn(run, input, leader);
    if (problem == 0) running->leaders[free_place] = *leader;
    (void)pthread_mutex_unlock(&running->lock);
    (void)close(input);
    *place = free_place;
    assert(problem != 0 || *leader > 0);
    return problem;
}

/* A child to wait for. The descriptor is -1 where a sandbox forbids it or the kernel has none: then
 * its state is looked at every few milliseconds. */
struct child {
    pid_t leader;
    int descriptor;
};

static bool has_ended(pid_t leader)
{
    siginfo_t status = {0};
    assert(leader > 1);
    int result = waitid(P_PID, (id_t)leader, &status, WEXITED | WNOWAIT | WNOHANG);
    return result == 0 && status.si_pid == leader;
}

/* True: it has ended, but is not reaped. */
static bool ended_by(const struct child *child, int64_t instant_ms)
{
    struct pollfd descriptor = {.fd = child->descriptor, .events = POLLIN};
    assert(child->leader > 1);
    for (;;) {
        int64_t left_ms = instant_ms - monotonic_ms();
        int wait_ms = left_ms < 0 ? 0 : (int)left_ms;
        if (child->descriptor < 0 && wait_ms > LOOK_EVERY_MS) wait_ms = LOOK_EVERY_MS;
        int result = poll(&descriptor, child->descriptor < 0 ? 0 : 1, wait_ms);
        assert(result >= 0 || errno == EINTR);
        if (result > 0 || (child->descriptor < 0 && has_ended(child->leader))) return true;
        if (left_ms <= 0) return false;
    }
}

static void watch(const struct belfry_run *run, const struct child *child,
                  struct belfry_ending *ending)
{
    assert(run->timeout_ms > 0 && run->kill_after_ms > 0);
    assert(child->leader > 1);
    if (ended_by(child, monotonic_ms() + run->timeout_ms)) return;
    ending->timed_out = true;
    (void)kill(-child->leader, SIGTERM);
    bool ended = ended_by(child, monotonic_ms() + run->kill_after_ms);
    /* Also when the leader obeyed: what else there is in its group must not live on. The leader
     * is not reaped yet, so its number still means this group. */
    (void)kill(-child->leader, SIGKILL);
    if (!ended) ending->stuck = !ended_by(child, monotonic_ms() + BELFRY_STUCK_MS);
}

static siginfo_t reap(pid_t leader)
{
    siginfo_t status = {0};
    int result = 0;
    do {
        result = waitid(P_PID, (id_t)leader, &status, WEXITED);
    } while (result != 0 && errno == EINTR);
    assert(result == 0);
    return status;
}

/* Off the list and reaped in one step: a reaped number may soon mean another process, and what is
 * not on the list is taken for an orphan. One that is stuck becomes an orphan. */
static void finish(struct belfry_running *running, uint32_t place, pid_t leader,
                   struct belfry_ending *ending)
{
    siginfo_t status = {0};
    (void)pthread_mutex_lock(&running->lock);
    assert(running->leaders[place] == leader);
    running->leaders[place] = 0;
    if (!ending->stuck) status = reap(leader);
    (void)pthread_mutex_unlock(&running->lock);
    if (status.si_code == CLD_EXITED) ending->exit_status = status.si_status;
    else ending->signal = status.si_status;
}

void belfry_program_run(const struct belfry_run *run, struct belfry_running *running,
                        struct belfry_ending *ending)
{
    assert(run != NULL && running != NULL && ending != NULL);
    *ending = (struct belfry_ending){.exit_status = -1};
    pid_t leader = 0;
    uint32_t place = 0;
    int64_t started_ms = monotonic_ms();
    ending->start_error = start(run, running, &leader, &place);
    if (ending->start_error != 0) return;
    struct child child = {.leader = leader, .descriptor = pidfd_open(leader, 0)};
    watch(run, &child, ending);
    if (child.descriptor >= 0) (void)close(child.descriptor);
    finish(running, place, leader, ending);
    ending->took_ms = monotonic_ms() - started_ms;
    assert(ending->took_ms >= 0);
}

void belfry_running_kill(struct belfry_running *running)
{
    (void)pthread_mutex_lock(&running->lock);
    for (uint32_t i = 0; i < running->count; i++) {
        assert(running->leaders[i] >= 0);
        if (running->leaders[i] != 0) (void)kill(-running->leaders[i], SIGKILL);
    }
    (void)pthread_mutex_unlock(&running->lock);
}

static bool is_leader(const struct belfry_running *running, pid_t child)
{
    for (uint32_t i = 0; i < running->count; i++)
        if (running->leaders[i] == child) return true;
    return false;
}

void belfry_orphans_reap(struct belfry_running *running)
{
    (void)pthread_mutex_lock(&running->lock);
    for (;;) {
        siginfo_t ended = {0};
        int result = waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT);
        /* The thread that runs a program reaps it, at once; the others are looked for again. */
        if (result != 0 || ended.si_pid == 0 || is_leader(running, ended.si_pid)) break;
        (void)reap(ended.si_pid);
    }
    (void)pthread_mutex_unlock(&running->lock);
}
