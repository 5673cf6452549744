/* SPDX-License-Identifier: Apache-2.0 */
/* See multi.h. */
#include "multi.h"

#include "failpoint.h"
#include "must.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define CONNECT_TIMEOUT_MS 3000L
/* Kept for the next question.  libcurl's own bound follows the questions of the
 * moment, and closes after a burst what the next burst opens again. */
#define CONNECTIONS_KEPT 32L

struct multi_socket {
    uv_poll_t poll;
    struct multi *multi;
    curl_socket_t fd;
};

struct multi {
    CURLM *curl;
    uv_loop_t *loop;
    uv_timer_t timer;
    multi_ended ended;
    unsigned handles; /* libuv handles that are not closed yet */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* -- closing -- */

static void
handle_gone(struct multi *multi)
{
    multi->handles--;
    if (!multi->closing || multi->handles > 0)
        return;
    if (multi->closed != NULL)
        multi->closed(multi->closed_arg);
    free(multi);
}

static void
on_socket_closed(uv_handle_t *handle)
{
    struct multi_socket *socket = handle->data;
    struct multi *multi = socket->multi;

    free(socket);
    handle_gone(multi);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    handle_gone(handle->data);
}

/* -- libcurl asks libuv -- */

static void
finish(struct multi *multi)
{
    CURLMsg *message;
    int left;

    while (!multi->closing &&
           (message = curl_multi_info_read(multi->curl, &left)) != NULL) {
        CURLcode code = message->data.result;
        char *private;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        multi->ended(private, code);
    }
}

static void
on_ready(uv_poll_t *poll, int status, int events)
{
    struct multi_socket *socket = poll->data;
    struct multi *multi = socket->multi;
    int flags = 0, running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(multi->curl, socket->fd, flags, &running);
    finish(multi);
}

static void
on_timeout(uv_timer_t *timer)
{
    struct multi *multi = timer->data;
    int running;

    curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    finish(multi);
}

static int
want_timeout(CURLM *curl, long timeout_ms, void *arg)
{
    struct multi *multi = arg;

    (void)curl;
    if (timeout_ms < 0 || multi->closing)
        uv_timer_stop(&multi->timer);
    else
        uv_timer_start(&multi->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct multi_socket *
socket_new(struct multi *multi, curl_socket_t fd)
{
    struct multi_socket *socket = must(calloc(1, sizeof *socket));

    socket->multi = multi;
    socket->fd = fd;
    if (uv_poll_init_socket(multi->loop, &socket->poll, fd) != 0)
        abort();
    socket->poll.data = socket;
    multi->handles++;
    curl_multi_assign(multi->curl, fd, socket);
    return socket;
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    struct multi *multi = arg;
    struct multi_socket *socket = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL) {
            uv_poll_stop(&socket->poll);
            uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
            curl_multi_assign(multi->curl, fd, NULL);
        }
        return 0;
    }
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    if (socket == NULL)
        socket = socket_new(multi, fd);
    uv_poll_start(&socket->poll, events, on_ready);
    return 0;
}

/* -- the interface -- */

struct multi *
multi_new(uv_loop_t *loop, multi_ended ended)
{
    struct multi *multi = must(calloc(1, sizeof *multi));

    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi->loop = loop;
    multi->ended = ended;
    multi->curl = must(curl_multi_init());
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, want_timeout);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    uv_timer_init(loop, &multi->timer);
    multi->timer.data = multi;
    multi->handles = 1;
    return multi;
}

void
multi_close(struct multi *multi, void (*closed)(void *arg), void *arg)
{
    multi->closing = true;
    multi->closed = closed;
    multi->closed_arg = arg;
    /* closes the kept connections: want_socket is called for each */
    curl_multi_cleanup(multi->curl);
    uv_timer_stop(&multi->timer);
    uv_close((uv_handle_t *)&multi->timer, on_timer_closed);
}

void
multi_add(struct multi *multi, CURL *easy)
{
    if (curl_multi_add_handle(multi->curl, easy) != CURLM_OK)
        abort();
}

void
multi_remove(struct multi *multi, CURL *easy)
{
    curl_multi_remove_handle(multi->curl, easy);
}

CURL *
multi_easy(const char *url, unsigned timeout_ms)
{
    CURL *easy = must(curl_easy_init());

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "x402d");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* the environment has no say in whom we ask about money */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION,
                     (long)mutant("redirect_followed"));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    return easy;
}
