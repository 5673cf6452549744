/* SPDX-License-Identifier: Apache-2.0 */
/* See post.h.  libcurl tells which sockets and which timeout it waits for;
 * libuv watches them and calls back.  Nothing here blocks except name
 * resolution, which libcurl does on a thread of its own. */
#include "post.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 3000L
#define FIRST_CAPACITY 4096

struct post_job {
    struct post_job *next, **self;
    struct post *post;
    CURL *easy;
    char *body;
    char *answer;
    size_t len, cap;
    bool too_large;
    post_cb cb;
    void *arg;
};

struct post_socket {
    uv_poll_t poll;
    struct post *post;
    curl_socket_t fd;
};

struct post {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct curl_slist *headers;
    size_t answer_max;
    struct post_job *jobs;
    unsigned handles; /* libuv handles that are not closed yet */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void *
must(void *memory)
{
    if (memory == NULL)
        abort(); /* out of memory: restart reads the ledger */
    return memory;
}

/* -- closing -- */

static void
post_free(struct post *post)
{
    curl_slist_free_all(post->headers);
    if (post->closed != NULL)
        post->closed(post->closed_arg);
    free(post);
}

static void
handle_gone(struct post *post)
{
    post->handles--;
    if (post->closing && post->handles == 0)
        post_free(post);
}

static void
on_socket_closed(uv_handle_t *handle)
{
    struct post_socket *socket = handle->data;
    struct post *post = socket->post;

    free(socket);
    handle_gone(post);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    handle_gone(handle->data);
}

/* -- one answer -- */

static size_t
on_bytes(char *at, size_t size, size_t count, void *arg)
{
    struct post_job *job = arg;
    size_t n = size * count;

    if (n > job->post->answer_max - job->len) {
        job->too_large = true;
        return 0; /* libcurl breaks the transfer off */
    }
    if (job->len + n + 1 > job->cap) {
        size_t cap = job->cap == 0 ? FIRST_CAPACITY : job->cap;

        while (cap < job->len + n + 1)
            cap *= 2;
        job->answer = must(realloc(job->answer, cap));
        job->cap = cap;
    }
    memcpy(job->answer + job->len, at, n);
    job->len += n;
    job->answer[job->len] = '\0';
    return n;
}

static void
job_end(struct post_job *job, const struct post_answer *answer)
{
    struct post *post = job->post;

    *job->self = job->next;
    if (job->next != NULL)
        job->next->self = job->self;
    curl_multi_remove_handle(post->multi, job->easy);
    curl_easy_cleanup(job->easy);
    job->cb(job->arg, answer);
    free(job->answer);
    free(job->body);
    free(job);
}

static void
job_finished(struct post_job *job, CURLcode code)
{
    struct post_answer answer = {.body = "", .why = ""};

    if (code == CURLE_OK) {
        curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE,
                          &answer.http_status);
        answer.complete = true;
        if (job->answer != NULL)
            answer.body = job->answer;
        answer.len = job->len;
    } else {
        answer.why =
            job->too_large ? "answer too large" : curl_easy_strerror(code);
    }
    job_end(job, &answer);
}

static void
finish_jobs(struct post *post)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(post->multi, &left)) != NULL) {
        struct post_job *job;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
        job_finished(job, message->data.result);
    }
}

/* -- libcurl asks libuv -- */

static void
on_ready(uv_poll_t *poll, int status, int events)
{
    struct post_socket *socket = poll->data;
    struct post *post = socket->post;
    int flags = 0, running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(post->multi, socket->fd, flags, &running);
    finish_jobs(post);
}

static void
on_timeout(uv_timer_t *timer)
{
    struct post *post = timer->data;
    int running;

    curl_multi_socket_action(post->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_jobs(post);
}

static int
want_timeout(CURLM *multi, long timeout_ms, void *arg)
{
    struct post *post = arg;

    (void)multi;
    if (timeout_ms < 0 || post->closing)
        uv_timer_stop(&post->timer);
    else
        uv_timer_start(&post->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct post_socket *
socket_new(struct post *post, curl_socket_t fd)
{
    struct post_socket *socket = must(calloc(1, sizeof *socket));

    socket->post = post;
    socket->fd = fd;
    if (uv_poll_init_socket(post->loop, &socket->poll, fd) != 0)
        abort();
    socket->poll.data = socket;
    post->handles++;
    curl_multi_assign(post->multi, fd, socket);
    return socket;
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    struct post *post = arg;
    struct post_socket *socket = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL) {
            uv_poll_stop(&socket->poll);
            uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
            curl_multi_assign(post->multi, fd, NULL);
        }
        return 0;
    }
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    if (socket == NULL)
        socket = socket_new(post, fd);
    uv_poll_start(&socket->poll, events, on_ready);
    return 0;
}

/* -- the interface -- */

struct post *
post_new(uv_loop_t *loop, size_t answer_max)
{
    struct post *post = must(calloc(1, sizeof *post));

    curl_global_init(CURL_GLOBAL_DEFAULT);
    post->loop = loop;
    post->answer_max = answer_max;
    post->multi = must(curl_multi_init());
    curl_multi_setopt(post->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(post->multi, CURLMOPT_SOCKETDATA, post);
    curl_multi_setopt(post->multi, CURLMOPT_TIMERFUNCTION, want_timeout);
    curl_multi_setopt(post->multi, CURLMOPT_TIMERDATA, post);
    uv_timer_init(loop, &post->timer);
    post->timer.data = post;
    post->handles = 1;
    post->headers =
        must(curl_slist_append(NULL, "Content-Type: application/json"));
    post->headers = must(curl_slist_append(post->headers, "Expect:"));
    return post;
}

void
post_close(struct post *post, void (*closed)(void *arg), void *arg)
{
    static const struct post_answer broken_off = {.body = "", .why = "closing"};

    post->closing = true;
    post->closed = closed;
    post->closed_arg = arg;
    while (post->jobs != NULL)
        job_end(post->jobs, &broken_off);
    /* closes the kept connections: want_socket is called for each */
    curl_multi_cleanup(post->multi);
    uv_timer_stop(&post->timer);
    uv_close((uv_handle_t *)&post->timer, on_timer_closed);
}

static CURL *
easy_new(struct post_job *job, const char *url, size_t body_len,
         unsigned timeout_ms)
{
    CURL *easy = must(curl_easy_init());

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "x402d");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* the environment has no say in whom we ask about money */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, job->post->headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, job->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_len);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
    return easy;
}

void
post_send(struct post *post, const char *url, char *body, size_t body_len,
          unsigned timeout_ms, post_cb cb, void *arg)
{
    struct post_job *job = must(calloc(1, sizeof *job));

    job->post = post;
    job->body = body;
    job->cb = cb;
    job->arg = arg;
    job->easy = easy_new(job, url, body_len, timeout_ms);
    job->self = &post->jobs;
    job->next = post->jobs;
    if (job->next != NULL)
        job->next->self = &job->next;
    post->jobs = job;
    if (curl_multi_add_handle(post->multi, job->easy) != CURLM_OK)
        abort();
}
