/* SPDX-License-Identifier: Apache-2.0 */
/* The core's mailbox: every task once, on the core thread, in the order in
 * which its thread posted it. */
#include <pthread.h>
#include <string.h>

#include "core.h"
#include "ledger_test.h"

#define THREADS 4
#define TASKS 5000

static struct core *core;
static pthread_t core_thread;
static unsigned next[THREADS];
static unsigned done, disorder, astray;
static struct task {
    unsigned thread, number;
} tasks[THREADS][TASKS];

static void
run(void *arg)
{
    struct task *task = arg;

    disorder += next[task->thread]++ != task->number;
    astray += !pthread_equal(pthread_self(), core_thread);
    done++;
}

static void *
post_all(void *arg)
{
    struct task *mine = arg;

    for (unsigned i = 0; i < TASKS; i++)
        core_post(core, run, &mine[i]);
    return NULL;
}

static void
mailbox(void)
{
    pthread_t thread[THREADS];

    core = core_new();
    core_thread = pthread_self();
    for (unsigned t = 0; t < THREADS; t++) {
        for (unsigned i = 0; i < TASKS; i++)
            tasks[t][i] = (struct task){t, i};
        pthread_create(&thread[t], NULL, post_all, tasks[t]);
    }
    while (done < THREADS * TASKS)
        uv_run(core_loop(core), UV_RUN_ONCE);
    for (unsigned t = 0; t < THREADS; t++)
        pthread_join(thread[t], NULL);
    OK(disorder == 0 && astray == 0 && done == THREADS * TASKS);
    core_free(core);
}

static unsigned posted_again;

static void
post_again(void *arg)
{
    if (++posted_again < 3)
        core_post(arg, post_again, arg);
}

static void
tasks_that_post(void)
{
    core = core_new();
    core_post(core, post_again, core);
    while (posted_again < 3)
        uv_run(core_loop(core), UV_RUN_ONCE);
    OK(posted_again == 3);
    core_post(core, run, NULL); /* too late: dropped, not run */
    core_free(core);
    OK(done == THREADS * TASKS);
}

static void
clock_and_chance(void)
{
    uint8_t a[32] = {0}, b[32] = {0};

    core_random(a, sizeof a);
    core_random(b, sizeof b);
    OK(memcmp(a, b, sizeof a) != 0);
    OK(core_now_ms() > 1700000000000u);
}

int
main(void)
{
    mailbox();
    tasks_that_post();
    clock_and_chance();
    return test_done();
}
