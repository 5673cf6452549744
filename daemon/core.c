/* SPDX-License-Identifier: Apache-2.0 */
/* The core loop and its mailbox: a locked list of tasks and an eventfd that
 * says "look".  The list is taken whole, so a burst of posts costs one wake-up,
 * and tasks run in the order in which they were posted.  (Not a uv_async: its
 * receiver spins while the sender is still inside uv_async_send, and a sender
 * that was just preempted keeps it at that for a long time.) */
#include "core.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct letter {
    struct letter *next;
    core_task task;
    void *arg;
};

struct core {
    uv_loop_t loop;
    uv_poll_t wake;
    int wake_fd;
    pthread_mutex_t lock;
    struct letter *first, **last; /* under lock */
};

static void
die(const char *what)
{
    fprintf(stderr, "x402d: %s\n", what);
    abort();
}

static struct letter *
take_all(struct core *core)
{
    struct letter *first;

    pthread_mutex_lock(&core->lock);
    first = core->first;
    core->first = NULL;
    core->last = &core->first;
    pthread_mutex_unlock(&core->lock);
    return first;
}

/* What the tasks post themselves comes with the next wake-up: sockets and
 * timers get their turn in between. */
static void
deliver(uv_poll_t *wake, int status, int events)
{
    struct core *core = wake->data;
    struct letter *letter;
    eventfd_t count;

    (void)status;
    (void)events;
    /* first: who posts from here on wakes us again */
    (void)eventfd_read(core->wake_fd, &count);
    letter = take_all(core);
    while (letter != NULL) {
        struct letter *next = letter->next;

        letter->task(letter->arg);
        free(letter);
        letter = next;
    }
}

struct core *
core_new(void)
{
    struct core *core = calloc(1, sizeof *core);

    if (core == NULL || uv_loop_init(&core->loop) != 0 ||
        (core->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0 ||
        uv_poll_init(&core->loop, &core->wake, core->wake_fd) != 0 ||
        uv_poll_start(&core->wake, UV_READABLE, deliver) != 0 ||
        pthread_mutex_init(&core->lock, NULL) != 0)
        die("cannot make the event loop");
    core->wake.data = core;
    core->last = &core->first;
    return core;
}

void
core_free(struct core *core)
{
    if (core == NULL)
        return;
    uv_close((uv_handle_t *)&core->wake, NULL);
    /* bounded: a handle that somebody forgot must not keep the process */
    for (int i = 0; i < 16 && uv_loop_alive(&core->loop); i++)
        uv_run(&core->loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(&core->loop);
    close(core->wake_fd);
    /* nobody is left to take these */
    for (struct letter *letter = take_all(core), *next; letter != NULL;
         letter = next) {
        next = letter->next;
        free(letter);
    }
    pthread_mutex_destroy(&core->lock);
    free(core);
}

uv_loop_t *
core_loop(struct core *core)
{
    return &core->loop;
}

void
core_post(struct core *core, core_task task, void *arg)
{
    struct letter *letter = malloc(sizeof *letter);
    bool first;

    if (letter == NULL)
        die("out of memory");
    letter->next = NULL;
    letter->task = task;
    letter->arg = arg;
    pthread_mutex_lock(&core->lock);
    first = core->first == NULL;
    *core->last = letter;
    core->last = &letter->next;
    /* inside the lock, so that core_free, which takes it, comes after */
    if (first)
        (void)eventfd_write(core->wake_fd, 1);
    pthread_mutex_unlock(&core->lock);
}

uint64_t
core_now_ms(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        die("no clock");
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
core_random(void *out, size_t len)
{
    unsigned char *at = out;

    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);

        if (n < 0 && errno != EINTR)
            die("no random bytes");
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
}
