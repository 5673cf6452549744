/* SPDX-License-Identifier: Apache-2.0 */
/* See post.h. */
#include "post.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../multi.h"
#include "../must.h"

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

struct post {
    struct multi *multi;
    struct curl_slist *headers;
    const char *ca_file; /* NULL: the system's */
    struct guard guard;  /* what: NULL: any address */
    bool no_reuse;
    size_t answer_max;
    struct post_job *jobs;
    curl_socket_t answered; /* where the answer being told came from */
    void (*closed)(void *arg);
    void *closed_arg;
};

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
    post->answered = CURL_SOCKET_BAD;
    curl_easy_getinfo(job->easy, CURLINFO_ACTIVESOCKET, &post->answered);
    multi_remove(post->multi, job->easy);
    curl_easy_cleanup(job->easy);
    job->cb(job->arg, answer);
    free(job->answer);
    free(job->body);
    free(job);
}

static void
job_finished(void *arg, CURLcode code)
{
    struct post_job *job = arg;
    struct post_answer answer = {.body = "", .type = "", .why = ""};
    const char *said = NULL;
    char type[128] = ""; /* of ours: libcurl's goes before the callback */
    curl_off_t retry_after_s = 0;

    if (code == CURLE_OK) {
        curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE,
                          &answer.http_status);
        curl_easy_getinfo(job->easy, CURLINFO_CONTENT_TYPE, &said);
        snprintf(type, sizeof type, "%s", said != NULL ? said : "");
        answer.type = type;
        curl_easy_getinfo(job->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
        if (retry_after_s > 0)
            answer.retry_after_s = (uint64_t)retry_after_s;
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

/* -- the interface -- */

void
post_no_reuse(struct post *post)
{
    post->no_reuse = true;
}

void
post_distrust(struct post *post)
{
    if (post->answered != CURL_SOCKET_BAD)
        (void)shutdown(post->answered, SHUT_RDWR);
    post->answered = CURL_SOCKET_BAD;
}

struct post *
post_new(uv_loop_t *loop, size_t answer_max)
{
    struct post *post = must(calloc(1, sizeof *post));

    post->multi = multi_new(loop, job_finished);
    post->answer_max = answer_max;
    post->headers =
        must(curl_slist_append(NULL, "Content-Type: application/json"));
    post->headers = must(curl_slist_append(post->headers, "Expect:"));
    return post;
}

static void
on_multi_closed(void *arg)
{
    struct post *post = arg;

    curl_slist_free_all(post->headers);
    if (post->closed != NULL)
        post->closed(post->closed_arg);
    free(post);
}

void
post_header(struct post *post, const char *line)
{
    post->headers = must(curl_slist_append(post->headers, line));
}

void
post_trust(struct post *post, const char *ca_file)
{
    post->ca_file = ca_file;
}

void
post_guard(struct post *post, const char *what, const struct guard_range *allow,
           size_t allow_len)
{
    post->guard =
        (struct guard){.what = what, .allow = allow, .allow_len = allow_len};
}

void
post_close(struct post *post, void (*closed)(void *arg), void *arg)
{
    static const struct post_answer broken_off = {
        .body = "", .type = "", .why = "closing"};

    post->closed = closed;
    post->closed_arg = arg;
    while (post->jobs != NULL)
        job_end(post->jobs, &broken_off);
    multi_close(post->multi, on_multi_closed, post);
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
    job->easy = multi_easy(url, timeout_ms);
    curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(job->easy, CURLOPT_FORBID_REUSE, (long)post->no_reuse);
    if (post->ca_file != NULL) {
        curl_easy_setopt(job->easy, CURLOPT_CAINFO, post->ca_file);
        curl_easy_setopt(job->easy, CURLOPT_CAPATH, NULL);
    }
    if (post->guard.what != NULL)
        guard_watch(&post->guard, job->easy);
    if (body != NULL) {
        curl_easy_setopt(job->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(job->easy, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)body_len);
    }
    curl_easy_setopt(job->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(job->easy, CURLOPT_WRITEDATA, job);
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    job->self = &post->jobs;
    job->next = post->jobs;
    if (job->next != NULL)
        job->next->self = &job->next;
    post->jobs = job;
    multi_add(post->multi, job->easy);
}
