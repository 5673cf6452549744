/* SPDX-License-Identifier: Apache-2.0 */
/* A list of connections under one lock.  The sweep only shuts a socket down;
 * libmicrohttpd then sees the end of it, and closes and unlinks it on its own
 * thread. */
#include "slow.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

struct slow_link {
    struct slow_link *next, **link;
    int fd;
    enum slow_phase phase;
    uint64_t since_ms;
    bool shut;
};

struct slow {
    pthread_mutex_t lock;
    struct slow_link *first;
};

struct slow *
slow_new(void)
{
    struct slow *slow = calloc(1, sizeof(*slow));

    if (slow != NULL)
        pthread_mutex_init(&slow->lock, NULL);
    return slow;
}

void
slow_free(struct slow *slow)
{
    if (slow == NULL)
        return;
    while (slow->first != NULL)
        slow_link_free(slow, slow->first);
    pthread_mutex_destroy(&slow->lock);
    free(slow);
}

struct slow_link *
slow_link_new(struct slow *slow, int fd, uint64_t now_ms)
{
    struct slow_link *link = calloc(1, sizeof(*link));

    if (link == NULL)
        return NULL;
    link->fd = fd;
    link->phase = SLOW_WAITING;
    link->since_ms = now_ms;
    pthread_mutex_lock(&slow->lock);
    link->next = slow->first;
    link->link = &slow->first;
    if (link->next != NULL)
        link->next->link = &link->next;
    slow->first = link;
    pthread_mutex_unlock(&slow->lock);
    return link;
}

void
slow_link_free(struct slow *slow, struct slow_link *link)
{
    if (link == NULL)
        return;
    pthread_mutex_lock(&slow->lock);
    *link->link = link->next;
    if (link->next != NULL)
        link->next->link = link->link;
    pthread_mutex_unlock(&slow->lock);
    free(link);
}

void
slow_link_phase(struct slow *slow, struct slow_link *link,
                enum slow_phase phase, uint64_t now_ms)
{
    if (link == NULL)
        return;
    pthread_mutex_lock(&slow->lock);
    link->phase = phase;
    link->since_ms = now_ms;
    pthread_mutex_unlock(&slow->lock);
}

static bool
is_over(const struct slow_link *link, uint64_t now_ms)
{
    uint64_t age_ms = now_ms > link->since_ms ? now_ms - link->since_ms : 0;

    switch (link->phase) {
    case SLOW_WAITING:
        return age_ms > SLOW_WAIT_MS;
    case SLOW_BODY:
        return age_ms > SLOW_BODY_MS;
    case SLOW_WORKING:
        return false;
    }
    return false;
}

void
slow_sweep(struct slow *slow, uint64_t now_ms)
{
    pthread_mutex_lock(&slow->lock);
    for (struct slow_link *link = slow->first; link != NULL;
         link = link->next) {
        if (link->shut || !is_over(link, now_ms))
            continue;
        link->shut = true;
        shutdown(link->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&slow->lock);
}
