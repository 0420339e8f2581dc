#include "tests/simulation/world/coroutine.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define FIBERS 1
#else
#define FIBERS 0
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0U
#endif

enum { STACK_BYTES = (FIBERS ? 1024 : 256) * 1024, KEPT_MAX = 64 };

#if defined(__x86_64__)
/* The registers that a called function preserves go to the stack, the stack pointer to *from. */
void coroutine_switch(void **from, void *to);
__asm__(".text\n"
        ".globl coroutine_switch\n"
        ".type coroutine_switch, @function\n"
        "coroutine_switch:\n"
        "    push %rbp\n    push %rbx\n    push %r12\n    push %r13\n    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n    pop %r14\n    pop %r13\n    pop %r12\n    pop %rbx\n    pop %rbp\n"
        "    ret\n"
        ".size coroutine_switch, .-coroutine_switch\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");
enum { SAVED_REGISTERS = 6 };
#else
#include <ucontext.h>
#endif

struct coroutine {
    coroutine_body *body;
    void *argument;
    char *stack;
    bool ended;
#if defined(__x86_64__)
    void *at;
#else
    ucontext_t context;
#endif
};

static struct coroutine *running;
static char *kept[KEPT_MAX];
static size_t kept_count;
#if defined(__x86_64__)
static void *main_at;
#else
static ucontext_t main_context;
#endif
#if FIBERS
static const void *main_stack;
static size_t main_stack_bytes;
#endif

static void switch_away(struct coroutine *coroutine, bool for_good)
{
#if FIBERS
    void *fake = NULL;
    __sanitizer_start_switch_fiber(for_good ? NULL : &fake, main_stack, main_stack_bytes);
#else
    (void)for_good;
#endif
#if defined(__x86_64__)
    coroutine_switch(&coroutine->at, main_at);
#else
    (void)swapcontext(&coroutine->context, &main_context);
#endif
#if FIBERS
    __sanitizer_finish_switch_fiber(fake, &main_stack, &main_stack_bytes);
#endif
}

static void begin(void)
{
#if FIBERS
    __sanitizer_finish_switch_fiber(NULL, &main_stack, &main_stack_bytes);
#endif
    struct coroutine *coroutine = running;
    coroutine->body(coroutine->argument);
    coroutine->ended = true;
    switch_away(coroutine, true);
    abort();
}

static char *take_stack(void)
{
    if (kept_count > 0) {
        char *used = kept[--kept_count];
#if FIBERS
        __asan_unpoison_memory_region(used, STACK_BYTES); /* frames that never returned */
#endif
        return used;
    }
    char *stack = malloc(STACK_BYTES);
    if (stack == NULL) abort();
    (void)VALGRIND_STACK_REGISTER(stack, stack + STACK_BYTES);
    return stack;
}

struct coroutine *coroutine_create(coroutine_body *body, void *argument)
{
    struct coroutine *coroutine = calloc(1, sizeof *coroutine);
    if (coroutine == NULL) abort();
    coroutine->body = body;
    coroutine->argument = argument;
    coroutine->stack = take_stack();
#if defined(__x86_64__)
    uintptr_t top = ((uintptr_t)coroutine->stack + STACK_BYTES) & ~(uintptr_t)15;
    void **at = (void **)top;
    *--at = NULL; /* where begin() would return to, and what aligns its stack */
    *--at = (void *)(uintptr_t)begin;
    for (int i = 0; i < SAVED_REGISTERS; i++) *--at = NULL;
    coroutine->at = at;
#else
    (void)getcontext(&coroutine->context);
    coroutine->context.uc_stack.ss_sp = coroutine->stack;
    coroutine->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&coroutine->context, begin, 0);
#endif
    return coroutine;
}

void coroutine_resume(struct coroutine *coroutine)
{
    assert(running == NULL && !coroutine->ended);
    running = coroutine;
#if FIBERS
    void *fake = NULL;
    __sanitizer_start_switch_fiber(&fake, coroutine->stack, STACK_BYTES);
#endif
#if defined(__x86_64__)
    coroutine_switch(&main_at, coroutine->at);
#else
    (void)swapcontext(&main_context, &coroutine->context);
#endif
#if FIBERS
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    running = NULL;
}

void coroutine_yield(void)
{
    assert(running != NULL);
    switch_away(running, false);
}

struct coroutine *coroutine_running(void)
{
    return running;
}

bool coroutine_ended(const struct coroutine *coroutine)
{
    return coroutine->ended;
}

void coroutine_destroy(struct coroutine *coroutine)
{
    if (coroutine == NULL) return;
    assert(coroutine != running);
    if (kept_count < KEPT_MAX) kept[kept_count++] = coroutine->stack;
    else free(coroutine->stack);
    free(coroutine);
}

void coroutine_release_stacks(void)
{
    while (kept_count > 0) free(kept[--kept_count]);
}
