#include "dispatcher/daemon/redis_child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "store/store_redis.h"

enum {
    READY_MS = 30000,
    LOCK_MS = 5000, /* a server whose belfryd was killed needs a moment to end */
    END_MS = 3000,
    LOOK_MS = 20,
    ASK_LIMIT_MS = 1000
};

struct redis_child {
    const struct clock *clock;
    pid_t pid; /* 0 = does not run */
    int lock;  /* held by the server too; -1 = none */
    char directory[PATH_MAX];
    char socket[PATH_MAX + 16];
};

static int64_t now_ms(const struct redis_child *child)
{
    return child->clock->monotonic_us(child->clock->opaque) / 1000;
}

/* Whoever may change the directory may put another socket or other data in their place. */
static bool check_directory(const char *directory, struct error *error)
{
    struct stat status;
    if (stat(directory, &status) != 0)
        return error_set(error, ERROR_FATAL, "embedded: %s: %s", directory, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return error_set(error, ERROR_FATAL, "embedded: %s is no directory: choose another name",
                         directory);
    if (status.st_uid != geteuid())
        return error_set(error, ERROR_FATAL, "embedded: %s belongs to the user with id %u, and we "
                         "are %u: choose a directory of your own, or run belfryd as that user",
                         directory, (unsigned)status.st_uid, (unsigned)geteuid());
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set(error, ERROR_FATAL, "embedded: others may write to %s (mode %04o): chmod "
                         "go-w it, or choose another directory", directory,
                         (unsigned)status.st_mode & 07777);
    return true;
}

static bool prepare_directory(struct redis_child *child, const char *directory,
                              struct error *error)
{
    struct store_redis_options options;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return error_set(error, ERROR_FATAL, "embedded: cannot make %s: %s", directory,
                         strerror(errno));
    if (!check_directory(directory, error)) return false;
    if (realpath(directory, child->directory) == NULL)
        return error_set(error, ERROR_FATAL, "embedded: %s: %s", directory, strerror(errno));
    (void)snprintf(child->socket, sizeof child->socket, "%s/redis.sock", child->directory);
    if (strlen(child->socket) < sizeof options.socket_path) return true;
    return error_set(error, ERROR_FATAL, "embedded: the path of %s is too long for a socket (%zu "
                     "characters at most): choose another directory", directory,
                     sizeof options.socket_path - sizeof "/redis.sock");
}

/* Two servers on one append-only file would ruin it. The lock is the server's as well. */
static bool take_lock(struct redis_child *child, const atomic_bool *stop, struct error *error)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/lock", child->directory);
    child->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (child->lock < 0)
        return error_set(error, ERROR_FATAL, "embedded: %s: %s", path, strerror(errno));
    int64_t deadline_ms = now_ms(child) + LOCK_MS;
    while (flock(child->lock, LOCK_EX | LOCK_NB) != 0) {
        if (atomic_load(stop) || now_ms(child) >= deadline_ms)
            return error_set(error, ERROR_FATAL, "embedded: another belfryd uses %s: end it first, "
                             "or choose another directory", child->directory);
        child->clock->sleep_ms(child->clock->opaque, LOOK_MS);
    }
    return true;
}

/* In the child: only what is safe between fork and exec. */
static _Noreturn void become_server(const struct redis_child *child, pid_t parent, int log,
                                    int failure)
{
    char *const arguments[] = {
        "redis-server", "--port", "0", "--unixsocket", (char *)child->socket,
        "--unixsocketperm", "700", "--dir", (char *)child->directory, "--appendonly", "yes",
        "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
        "--daemonize", "no", NULL};
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(EXIT_FAILURE); /* it died before we asked for the signal */
    (void)setsid(); /* Ctrl-C is for belfryd, which ends us last */
    (void)fcntl(child->lock, F_SETFD, 0);
    (void)dup2(log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    (void)execvp(arguments[0], arguments);
    int cause = errno;
    (void)!write(failure, &cause, sizeof cause);
    _exit(EXIT_FAILURE);
}

static bool spawn(struct redis_child *child, struct error *error)
{
    char path[PATH_MAX + 16];
    int failure[2] = {-1, -1};
    int cause = 0;
    (void)snprintf(path, sizeof path, "%s/redis.log", child->directory);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0 || pipe2(failure, O_CLOEXEC) != 0) {
        if (log >= 0) (void)close(log);
        return error_set(error, ERROR_FATAL, "embedded: %s: %s", path, strerror(errno));
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) become_server(child, parent, log, failure[1]);
    if (pid < 0) cause = errno;
    (void)close(log);
    (void)close(failure[1]);
    /* The pipe closes with the exec; a number in it says why there was none. */
    if (pid > 0) {
        while (read(failure[0], &cause, sizeof cause) < 0 && errno == EINTR) continue;
        child->pid = pid;
    }
    (void)close(failure[0]);
    if (cause == 0) return true;
    return error_set(error, ERROR_FATAL, cause == ENOENT
                     ? "embedded: redis-server is not installed (%s): apt-get install redis-server"
                     : "embedded: redis-server does not start: %s", strerror(cause));
}

static void ignore(void *opaque, const char *warning)
{
    (void)opaque;
    (void)warning;
}

/* Loading a large append-only file takes a while. */
static bool wait_ready(struct redis_child *child, const atomic_bool *stop, struct error *error)
{
    struct store_redis_options options;
    assert(strlen(child->socket) < sizeof options.socket_path);
    store_redis_options_default(&options);
    memcpy(options.socket_path, child->socket, strlen(child->socket) + 1);
    options.connect_limit_ms = ASK_LIMIT_MS;
    options.command_limit_ms = ASK_LIMIT_MS;
    int64_t deadline_ms = now_ms(child) + READY_MS;
    for (;;) {
        struct error cause = {0};
        struct store *store = store_redis_create(&options, &cause);
        bool ready = store != NULL && store_redis_check(store, ignore, NULL, &cause);
        if (store != NULL) store->operations->destroy(store);
        if (ready) return true;
        if (cause.kind != ERROR_RETRY)
            return error_set(error, ERROR_FATAL, "embedded: %s", cause.message);
        if (!redis_child_alive(child) || now_ms(child) >= deadline_ms)
            return error_set(error, ERROR_FATAL, "embedded: redis-server does not answer (%s); its "
                             "log is %s/redis.log", cause.message, child->directory);
        if (atomic_load(stop)) return error_set(error, ERROR_FATAL, "embedded: told to end");
        child->clock->sleep_ms(child->clock->opaque, LOOK_MS);
    }
}

struct redis_child *redis_child_start(const char *directory, const struct clock *clock,
                                      const atomic_bool *stop, struct error *error)
{
    assert(directory != NULL && directory[0] != '\0');
    assert(clock != NULL && stop != NULL);
    struct redis_child *child = memory_allocate(1, sizeof *child);
    child->clock = clock;
    child->lock = -1;
    if (prepare_directory(child, directory, error) && take_lock(child, stop, error) &&
        spawn(child, error) && wait_ready(child, stop, error))
        return child;
    redis_child_stop(child);
    return NULL;
}

const char *redis_child_directory(const struct redis_child *child)
{
    assert(child != NULL);
    return child->directory;
}

const char *redis_child_socket(const struct redis_child *child)
{
    assert(child != NULL);
    return child->socket;
}

bool redis_child_alive(struct redis_child *child)
{
    assert(child != NULL);
    if (child->pid != 0 && waitpid(child->pid, NULL, WNOHANG) == child->pid) child->pid = 0;
    return child->pid != 0;
}

void redis_child_stop(struct redis_child *child)
{
    if (child == NULL) return;
    int64_t deadline_ms = now_ms(child) + END_MS;
    if (redis_child_alive(child)) (void)kill(child->pid, SIGTERM);
    while (redis_child_alive(child)) {
        if (now_ms(child) >= deadline_ms) (void)kill(child->pid, SIGKILL);
        child->clock->sleep_ms(child->clock->opaque, LOOK_MS);
    }
    if (child->lock >= 0) (void)close(child->lock);
    free(child);
}
