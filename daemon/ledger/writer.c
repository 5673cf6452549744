/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: a queue and the one thread that writes.  It takes what waits, up
 * to a bound, into one transaction; while that is being made durable the next
 * group gathers.  Nobody is told anything before the commit is on the disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "internal.h"

struct group {
    struct ledger *ledger;
    struct command *first;
    size_t len;
};

void *
command_new(size_t size)
{
    void *out = calloc(1, size);

    if (out == NULL) {
        fprintf(stderr, "x402d: out of memory\n");
        abort();
    }
    return out;
}

void *
command_resize(void *memory, size_t size)
{
    void *out = realloc(memory, size);

    if (out == NULL) {
        fprintf(stderr, "x402d: out of memory\n");
        abort();
    }
    return out;
}

void
ledger_nobody(void *arg, enum x402_err err, int64_t payment)
{
    (void)arg;
    (void)err;
    (void)payment;
}

void *
command_copy(const void *bytes, size_t len)
{
    void *out = command_new(len + 1);

    if (len > 0)
        memcpy(out, bytes, len);
    return out;
}

/* Waiting in the group's order, monotonic: a wall clock may be set back. */
static uint64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
deliver_refused(void *arg)
{
    struct command *command = arg;

    command->deliver(command);
}

/* The ledger is closing: what its last answers set off comes too late. */
static bool
refuse(struct ledger *ledger, struct command *command)
{
    if (!command->reads)
        command->fail(command, X402_ERR_UNAVAILABLE);
    core_post(ledger->core, deliver_refused, command);
    return true;
}

bool
command_send(struct ledger *ledger, struct command *command, bool droppable)
{
    bool taken = true;

    if (ledger->closed)
        return refuse(ledger, command);
    command->since_ms = monotonic_ms();
    pthread_mutex_lock(&ledger->lock);
    if (droppable && ledger->waiting >= LEDGER_WAITING_MAX) {
        taken = false;
    } else {
        *ledger->last = command;
        ledger->last = &command->next;
        ledger->waiting++;
        ledger->eager += !command->lazy;
        pthread_cond_signal(&ledger->changed);
    }
    pthread_mutex_unlock(&ledger->lock);
    return taken;
}

static void
deliver_group(void *arg)
{
    struct group *group = arg;

    for (struct command *at = group->first, *next; at != NULL; at = next) {
        next = at->next;
        at->deliver(at);
    }
    free(group);
}

/* -- the thread -- */

/* Lazy commands wait for company.  Time is up when the oldest is old enough. */
static uint64_t
lazy_wait_ms(const struct ledger *ledger)
{
    uint64_t now = monotonic_ms();
    uint64_t until = ledger->first->since_ms + LEDGER_LAZY_MS;

    return until > now ? until - now : 0;
}

static void
wait_for(struct ledger *ledger, uint64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&ledger->changed, &ledger->lock, &until);
}

/* Wait until there is something to commit.  false: stopping, and empty. */
static bool
wait_for_work(struct ledger *ledger)
{
    for (;;) {
        uint64_t ms;

        if (ledger->eager > 0 || ledger->waiting >= LEDGER_GROUP_MAX)
            return true;
        if (ledger->stopping)
            return ledger->waiting > 0;
        if (ledger->waiting == 0) {
            pthread_cond_wait(&ledger->changed, &ledger->lock);
            continue;
        }
        ms = lazy_wait_ms(ledger);
        if (ms == 0)
            return true;
        wait_for(ledger, ms);
    }
}

/* Under load a commit costs as much for many as for few: after a large group
 * the next one is given a moment to grow.  Few at a time do not wait. */
static void
gather(struct ledger *ledger)
{
    static const struct timespec moment = {0, LEDGER_GATHER_US * 1000};

    if (ledger->last_len < LEDGER_GATHER_FROM ||
        ledger->waiting >= LEDGER_GROUP_MAX || ledger->stopping)
        return;
    pthread_mutex_unlock(&ledger->lock);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    pthread_mutex_lock(&ledger->lock);
}

static struct group *
take_group(struct ledger *ledger)
{
    struct group *group = command_new(sizeof *group);
    struct command **end = &ledger->first;

    group->ledger = ledger;
    group->first = ledger->first;
    while (*end != NULL && group->len < LEDGER_GROUP_MAX) {
        ledger->eager -= !(*end)->lazy;
        group->len++;
        end = &(*end)->next;
    }
    ledger->first = *end;
    if (*end == NULL)
        ledger->last = &ledger->first;
    *end = NULL;
    ledger->waiting -= group->len;
    return group;
}

/* `end` points into the last command taken, or at ledger->first when nothing
 * was: wait_for_work has seen to it that something was. */
static void *
writer_main(void *arg)
{
    struct ledger *ledger = arg;

    /* or each moment would take 50 microseconds more */
    (void)prctl(PR_SET_TIMERSLACK, 1);
    pthread_mutex_lock(&ledger->lock);
    while (wait_for_work(ledger)) {
        struct group *group;

        gather(ledger);
        group = take_group(ledger);
        ledger->last_len = group->len;
        pthread_mutex_unlock(&ledger->lock);
        group_run(ledger, group->first, group->len);
        core_post(ledger->core, deliver_group, group);
        pthread_mutex_lock(&ledger->lock);
    }
    pthread_mutex_unlock(&ledger->lock);
    return NULL;
}

static int
init_wakeups(struct ledger *ledger)
{
    pthread_condattr_t attr;
    int err = pthread_condattr_init(&attr);

    if (err != 0)
        return err;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    err = pthread_cond_init(&ledger->changed, &attr);
    pthread_condattr_destroy(&attr);
    return err;
}

int
writer_start(struct ledger *ledger)
{
    int err = pthread_mutex_init(&ledger->lock, NULL);

    if (err == 0)
        err = init_wakeups(ledger);
    ledger->last = &ledger->first;
    if (err == 0)
        err = pthread_create(&ledger->writer, NULL, writer_main, ledger);
    return err;
}

void
writer_stop(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->stopping = true;
    pthread_cond_broadcast(&ledger->changed);
    pthread_mutex_unlock(&ledger->lock);
    pthread_join(ledger->writer, NULL);
    pthread_cond_destroy(&ledger->changed);
    pthread_mutex_destroy(&ledger->lock);
}
