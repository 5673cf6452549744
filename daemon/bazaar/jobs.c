/* SPDX-License-Identifier: Apache-2.0 */
/* See jobs.h. */
#include "jobs.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct job {
    struct job *next;
    jobs_work work;
    void *arg;
};

struct jobs {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job *first, **last;
    size_t len, max;
    bool ending;
    unsigned idle_ms;
    void (*idle)(void *arg);
    void *arg;
};

static struct timespec
later(unsigned ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

static bool
is_past(const struct timespec *t)
{
    struct timespec now = later(0);

    return now.tv_sec > t->tv_sec ||
           (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

/* NULL: it is time to be idle, or to end. */
static struct job *
next_job(struct jobs *jobs, const struct timespec *until)
{
    struct job *job;

    pthread_mutex_lock(&jobs->lock);
    while (jobs->first == NULL && !jobs->ending && !is_past(until))
        pthread_cond_timedwait(&jobs->wake, &jobs->lock, until);
    job = jobs->first;
    if (job != NULL) {
        jobs->first = job->next;
        if (jobs->first == NULL)
            jobs->last = &jobs->first;
        jobs->len--;
    }
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

static void *
run(void *arg)
{
    struct jobs *jobs = arg;
    struct timespec until = later(0);

    for (;;) {
        struct job *job = next_job(jobs, &until);
        bool ending = jobs_ending(jobs);

        if (job != NULL) {
            job->work(job->arg, ending);
            free(job);
        } else if (ending) {
            return NULL;
        }
        if (!is_past(&until) || ending)
            continue;
        if (jobs->idle != NULL)
            jobs->idle(jobs->arg);
        until = later(jobs->idle_ms);
    }
}

static void
start(struct jobs *jobs)
{
    sigset_t all, before;

    /* signals are the core's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&jobs->thread, NULL, run, jobs) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct jobs *
jobs_new(size_t max, unsigned idle_ms, void (*idle)(void *arg), void *arg)
{
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    pthread_condattr_t attributes;

    if (jobs == NULL)
        abort();
    jobs->last = &jobs->first;
    jobs->max = max;
    jobs->idle_ms = idle_ms;
    jobs->idle = idle;
    jobs->arg = arg;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    start(jobs);
    return jobs;
}

bool
jobs_push(struct jobs *jobs, jobs_work work, void *arg)
{
    struct job *job = calloc(1, sizeof(*job));
    bool taken;

    if (job == NULL)
        return false;
    job->work = work;
    job->arg = arg;
    pthread_mutex_lock(&jobs->lock);
    taken = jobs->len < jobs->max && !jobs->ending;
    if (taken) {
        *jobs->last = job;
        jobs->last = &job->next;
        jobs->len++;
        pthread_cond_signal(&jobs->wake);
    }
    pthread_mutex_unlock(&jobs->lock);
    if (!taken)
        free(job);
    return taken;
}

bool
jobs_ending(struct jobs *jobs)
{
    bool ending;

    pthread_mutex_lock(&jobs->lock);
    ending = jobs->ending;
    pthread_mutex_unlock(&jobs->lock);
    return ending;
}

void
jobs_end(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->ending = true;
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
}

void
jobs_free(struct jobs *jobs)
{
    pthread_join(jobs->thread, NULL);
    pthread_cond_destroy(&jobs->wake);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}
