#include "cli/words/watch.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/show/cli_clock.h"
#include "cli/show/screen_text.h"
#include "lib/base/monotonic.h"
#include "lib/time/instant.h"

enum { READ_BYTES = 65536 };

/* The terminal is the business of this process alone, which asks nobody and so never waits; what is
 * shown is printed by a child, a new one each time, which may wait for Redis, or crash. */
struct watch {
    const struct invocation *invocation;
    command_run *once;
    int64_t every_ms;
    bool heading;
    struct termios before; /* how the terminal was */
    bool keys;             /* stdin is a terminal, too: q ends it */
    int signals;           /* descriptor */
    sigset_t watched;      /* those that come through it */
    sigset_t mask;         /* as it was */
    size_t columns;
    size_t rows;
    pid_t child;           /* 0: none is printing */
    int output;            /* what it prints; -1 likewise */
    struct text_writer printed; /* so far */
    bool shown;            /* one has been printed whole */
    int ended_by;          /* a signal; 0: none */
    bool ended;
    enum exit_code code;
};

static void put(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written <= 0) return;
        bytes += written;
        length -= (size_t)written;
    }
}

static void put_words(const char *text)
{
    put(text, strlen(text));
}

/* ---- the terminal ---- */

/* A terminal that does not tell its size is as large as the settings take it to be. */
static void measure(struct watch *watch)
{
    struct winsize size = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    watch->columns = known ? size.ws_col : watch->invocation->settings->width;
    watch->rows = known ? size.ws_row : watch->invocation->settings->height;
}

/* Another screen, without a cursor; keys come as they are pressed. */
static void terminal_take(struct watch *watch)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    (void)sigemptyset(&watch->watched);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
        (void)sigaddset(&watch->watched, caught[i]);
    (void)sigprocmask(SIG_BLOCK, &watch->watched, &watch->mask);
    watch->signals = signalfd(-1, &watch->watched, SFD_CLOEXEC);
    watch->keys = tcgetattr(STDIN_FILENO, &watch->before) == 0;
    if (watch->keys) {
        struct termios now = watch->before;
        now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        now.c_cc[VSUSP] = _POSIX_VDISABLE;
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
    }
    put_words("\x1b[?1049h\x1b[?25l\x1b[H\x1b[J");
    measure(watch);
}

static void terminal_return(const struct watch *watch)
{
    put_words("\x1b[?25h\x1b[?1049l");
    if (watch->keys) (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &watch->before);
    (void)close(watch->signals);
    (void)sigprocmask(SIG_SETMASK, &watch->mask, NULL);
}

/* ---- the child ---- */

/* Prints once, into the pipe, for a terminal of the present width, and ends. */
static void print_once(const struct watch *watch, int output)
{
    struct settings settings = *watch->invocation->settings;
    struct invocation invocation = *watch->invocation;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigprocmask(SIG_SETMASK, &watch->mask, NULL);
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) _exit(CLI_FAILED);
    settings.width = watch->columns;
    settings.height = watch->rows;
    invocation.settings = &settings;
    enum exit_code code = watch->once(&invocation);
    (void)fflush(stdout);
    _exit(code);
}

static void child_start(struct watch *watch)
{
    int ends[2];
    assert(watch->child == 0);
    text_writer_reset(&watch->printed);
    measure(watch);
    if (pipe(ends) != 0) return;
    (void)fflush(stdout);
    watch->child = fork();
    if (watch->child == 0) {
        (void)close(ends[0]);
        print_once(watch, ends[1]);
    }
    (void)close(ends[1]);
    watch->output = ends[0];
    if (watch->child > 0) return;
    watch->child = 0;
    (void)close(ends[0]);
    watch->output = -1;
}

static int child_end(struct watch *watch)
{
    int status = 0;
    (void)close(watch->output);
    (void)waitpid(watch->child, &status, 0);
    watch->output = -1;
    watch->child = 0;
    return status;
}

/* ---- one screen ---- */

static void draw(struct watch *watch)
{
    struct text_writer screen = {0};
    struct text_writer whole = {0};
    if (watch->heading) {
        char now[INSTANT_TEXT_BYTES];
        instant_format(cli_now_ms(), now);
        text_writer_format(&whole, "\x1b[1mbelfry %s\x1b[0m  %s  each %g s, q ends it\n\n",
                           watch->invocation->command->name, now, (double)watch->every_ms / 1000);
    }
    text_writer_raw(&whole, text_writer_text(&watch->printed));
    screen_draw(&screen, text_writer_text(&whole), watch->columns, watch->rows);
    put(screen.bytes, screen.length);
    text_writer_free(&whole);
    text_writer_free(&screen);
}

/* What failed the first time will fail again: it ends, and is said where it stays to be read. */
static void printed_whole(struct watch *watch)
{
    int status = child_end(watch);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code < 0)
        text_writer_format(&watch->printed, "\nbelfry: what prints this ended by signal %d\n",
                           WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    bool failed = code < 0 || code == CLI_USAGE || code == CLI_UNREACHABLE;
    if (!watch->shown && failed) {
        watch->ended = true;
        watch->code = code < 0 ? CLI_FAILED : (enum exit_code)code;
        return;
    }
    watch->shown = true;
    draw(watch);
}

static void take_output(struct watch *watch)
{
    char *room = text_writer_reserve(&watch->printed, READ_BYTES);
    ssize_t got = read(watch->output, room, READ_BYTES);
    if (got > 0) watch->printed.length += (size_t)got;
    else printed_whole(watch);
}

static void take_signal(struct watch *watch)
{
    struct signalfd_siginfo signal;
    if (read(watch->signals, &signal, sizeof signal) != (ssize_t)sizeof signal) return;
    if (signal.ssi_signo == SIGWINCH) {
        measure(watch);
        if (watch->child == 0 && watch->shown) draw(watch);
        return;
    }
    watch->ended = true;
    watch->ended_by = (int)signal.ssi_signo;
}

static void take_key(struct watch *watch)
{
    char key = 0;
    ssize_t got = read(STDIN_FILENO, &key, 1);
    if (got <= 0) watch->keys = false;
    else if (key == 'q' || key == 'Q') watch->ended = true;
}

/* Waits for whatever comes first, and takes it. A terminal that goes away is seen here, too: SIGHUP
 * comes only to a process whose controlling terminal it was. */
static void turn(struct watch *watch, int64_t next_ms)
{
    struct pollfd sources[] = {{.fd = watch->signals, .events = POLLIN},
                               {.fd = watch->output, .events = POLLIN},
                               {.fd = watch->keys ? STDIN_FILENO : -1, .events = POLLIN},
                               {.fd = STDOUT_FILENO, .events = 0}};
    int wait_ms = watch->child > 0 ? -1 : cli_left_ms(next_ms, WATCH_MOST_MS);
    if (poll(sources, sizeof sources / sizeof sources[0], wait_ms) <= 0) return;
    if (sources[0].revents != 0) take_signal(watch);
    if (sources[1].revents != 0 && !watch->ended) take_output(watch);
    if (sources[2].revents != 0) take_key(watch);
    if (sources[3].revents != 0 && !watch->ended) {
        watch->ended = true;
        watch->ended_by = SIGHUP;
    }
}

/* Dies of the signal as it would have. */
static void die_of(int number)
{
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

enum exit_code watch_terminal(const struct invocation *invocation, command_run *once,
                              int64_t every_ms, bool heading)
{
    struct watch watch = {.invocation = invocation, .once = once, .every_ms = every_ms,
                          .heading = heading, .output = -1, .code = CLI_OK};
    terminal_take(&watch);
    int64_t next_ms = monotonic_ms();
    while (!watch.ended) {
        if (watch.child == 0 && monotonic_ms() >= next_ms) {
            next_ms = monotonic_ms() + every_ms;
            child_start(&watch);
        }
        turn(&watch, next_ms);
    }
    if (watch.child > 0) {
        (void)kill(watch.child, SIGKILL);
        (void)child_end(&watch);
    }
    terminal_return(&watch);
    if (watch.code != CLI_OK)
        (void)fwrite(watch.printed.bytes, 1, watch.printed.length, stderr);
    text_writer_free(&watch.printed);
    if (watch.ended_by != 0 && watch.ended_by != SIGINT) die_of(watch.ended_by);
    return watch.code;
}

/* ---- --watch ---- */

bool watch_every(const struct arguments *arguments, const char *option, int64_t *every_ms,
                 struct error *error)
{
    const char *text = arguments_value(arguments, option);
    int64_t seconds = 0;
    if (text != NULL && number_parse(text, 0, WATCH_MOST_MS, &seconds)) *every_ms = seconds * 1000;
    else if (!arguments_duration(arguments, option, every_ms, error)) return false;
    if (*every_ms >= WATCH_LEAST_MS && *every_ms <= WATCH_MOST_MS) return true;
    return error_invalid(error, CODE_USAGE, "--%s: from 100ms to 1h", option);
}

static void wait_until(int64_t at_ms)
{
    struct timespec until = monotonic_timespec(at_ms);
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* One JSON document each time, to whoever reads them, who ends it. */
static enum exit_code watch_json(const struct invocation *invocation, command_run *once,
                                 int64_t every_ms)
{
    for (int64_t next_ms = monotonic_ms() + every_ms, first = 1;; next_ms += every_ms, first = 0) {
        enum exit_code code = once(invocation);
        if (first != 0 && (code == CLI_USAGE || code == CLI_UNREACHABLE)) return code;
        if (fflush(stdout) != 0 || ferror(stdout) != 0) return CLI_FAILED;
        if (next_ms < monotonic_ms()) next_ms = monotonic_ms();
        wait_until(next_ms);
    }
}

enum exit_code watch_or_once(const struct invocation *invocation, command_run *once)
{
    const struct settings *settings = invocation->settings;
    int64_t every_ms = WATCH_DEFAULT_MS;
    struct error error = {0};
    if (!arguments_has(invocation->arguments, "watch")) return once(invocation);
    if (!watch_every(invocation->arguments, "watch", &every_ms, &error)) return exit_with(&error);
    if (settings->output == OUTPUT_JSON) return watch_json(invocation, once, every_ms);
    if (settings->output == OUTPUT_TABLE && settings->width > 0)
        return watch_terminal(invocation, once, every_ms, true);
    (void)error_invalid(&error, CODE_USAGE, settings->output == OUTPUT_TABLE
                            ? "--watch needs a terminal; elsewhere -o json prints one document "
                              "each time"
                            : "--watch goes with tables on a terminal and with -o json: one "
                              "document each time");
    return exit_with(&error);
}
