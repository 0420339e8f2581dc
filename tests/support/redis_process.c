#include "tests/support/redis_process.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_LIMIT_MS = 60000, POLL_MS = 5, PATH_BYTES = 96, ARGUMENTS_MAX = 40 };

struct redis_process {
    pid_t pid; /* 0 = not running */
    int port;
    char directory[64];
    char socket_path[PATH_BYTES];
    char url[PATH_BYTES + 16];
    char tcp_url[64];
    char extra[256];
};

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A port nobody listens on at this moment. */
static int free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int port = 0;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        port = ntohs(address.sin_port);
    if (fd >= 0) close(fd);
    return port;
}

/* In the child: becomes redis-server, or ends. */
static _Noreturn void become_server(const struct redis_process *process, pid_t parent)
{
    char port[16], extra[sizeof process->extra];
    char *arguments[ARGUMENTS_MAX] = {
        "redis-server", "--port", port, "--bind", "127.0.0.1",
        "--unixsocket", (char *)process->socket_path, "--dir", (char *)process->directory,
        "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
        "--logfile", "redis.log", "--maxmemory-policy", "noeviction",
    };
    int count = 0;
    while (arguments[count] != NULL) count++;
    (void)snprintf(port, sizeof port, "%d", process->port);
    (void)snprintf(extra, sizeof extra, "%s", process->extra);
    char *rest = extra;
    for (char *word = strsep(&rest, " "); word != NULL && count < ARGUMENTS_MAX - 1;
         word = strsep(&rest, " "))
        if (*word != '\0') arguments[count++] = word;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    execvp(arguments[0], arguments);
    _exit(127);
}

static bool answers(const struct redis_process *process)
{
    struct timeval limit = {.tv_sec = 1};
    redisContext *context = redisConnectUnixWithTimeout(process->socket_path, limit);
    bool answered = false;
    if (context != NULL && context->err == 0) {
        redisReply *reply = redisCommand(context, "PING");
        answered = reply != NULL && reply->type == REDIS_REPLY_STATUS;
        if (reply != NULL) freeReplyObject(reply);
    }
    if (context != NULL) redisFree(context);
    return answered;
}

static bool launch(struct redis_process *process)
{
    assert(process->pid == 0);
    pid_t parent = getpid();
    process->pid = fork();
    if (process->pid == 0) become_server(process, parent);
    if (process->pid < 0) {
        process->pid = 0;
        return false;
    }
    long long deadline_ms = now_ms() + START_LIMIT_MS;
    while (now_ms() < deadline_ms) {
        if (waitpid(process->pid, NULL, WNOHANG) != 0) {
            process->pid = 0;
            return false;
        }
        if (answers(process)) return true;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
    redis_process_kill(process);
    return false;
}

static void remove_files(const struct redis_process *process)
{
    const char *arguments[] = {"rm", "-rf", process->directory, NULL};
    char *environment[] = {"PATH=/usr/bin:/bin", NULL};
    pid_t pid;
    assert(strncmp(process->directory, "/tmp/belfry-redis-", 18) == 0);
    if (posix_spawnp(&pid, "rm", NULL, NULL, (char *const *)arguments, environment) == 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}

struct redis_process *redis_process_start(const char *extra)
{
    struct redis_process *process = calloc(1, sizeof *process);
    if (process == NULL) return NULL;
    (void)snprintf(process->directory, sizeof process->directory, "/tmp/belfry-redis-XXXXXX");
    (void)snprintf(process->extra, sizeof process->extra, "%s", extra != NULL ? extra : "");
    if (mkdtemp(process->directory) == NULL) {
        free(process);
        return NULL;
    }
    (void)snprintf(process->socket_path, PATH_BYTES, "%s/redis.sock", process->directory);
    (void)snprintf(process->url, sizeof process->url, "unix://%s", process->socket_path);
    for (int attempt = 0; attempt < 5; attempt++) { /* another program may take the port */
        process->port = free_port();
        (void)snprintf(process->tcp_url, sizeof process->tcp_url, "redis://127.0.0.1:%d",
                       process->port);
        if (launch(process)) return process;
    }
    (void)fprintf(stderr, "redis-server did not start; see %s/redis.log\n", process->directory);
    free(process);
    return NULL;
}

const char *redis_process_url(const struct redis_process *process)
{
    assert(process != NULL);
    return process->url;
}

const char *redis_process_tcp_url(const struct redis_process *process)
{
    assert(process != NULL);
    return process->tcp_url;
}

void redis_process_kill(struct redis_process *process)
{
    assert(process != NULL);
    if (process->pid == 0) return;
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) continue;
    process->pid = 0;
}

void redis_process_freeze(struct redis_process *process)
{
    assert(process->pid != 0);
    kill(process->pid, SIGSTOP);
}

void redis_process_thaw(struct redis_process *process)
{
    assert(process->pid != 0);
    kill(process->pid, SIGCONT);
}

bool redis_process_restart(struct redis_process *process, bool empty)
{
    assert(process->pid == 0);
    if (empty) {
        remove_files(process);
        if (mkdir(process->directory, 0700) != 0) return false; /* the same: clients know it */
    }
    return launch(process);
}

void redis_process_stop(struct redis_process *process)
{
    if (process == NULL) return;
    redis_process_kill(process);
    remove_files(process);
    free(process);
}
