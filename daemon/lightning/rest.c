/* SPDX-License-Identifier: Apache-2.0 */
/* See rest.h. */
#include "rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/json.h>

#include "../multi.h"
#include "../must.h"

#define PATH_MAX_LEN 512

/** One transfer: a question, or a stream. */
struct rest_stream {
    struct rest_stream *next, **self;
    struct rest *rest;
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    char *in; /* the answer, or the line so far */
    size_t len, cap, max;
    bool too_large, refused, hung_up;
    rest_cb cb; /* NULL: a stream */
    rest_line_cb line;
    rest_end_cb end;
    void *arg;
};

struct rest {
    uv_loop_t *loop;
    struct multi *multi;
    struct rest_options options;
    struct rest_stream *all;
    bool gone; /* libcurl's part is closed */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* -- bytes -- */

static bool
keep(struct rest_stream *t, const char *at, size_t n)
{
    if (n > t->max - t->len) {
        t->too_large = true;
        return false;
    }
    if (t->len + n + 1 > t->cap) {
        size_t cap = t->cap == 0 ? 4096 : t->cap;

        while (cap < t->len + n + 1)
            cap *= 2;
        t->in = must(realloc(t->in, cap));
        t->cap = cap;
    }
    memcpy(t->in + t->len, at, n);
    t->len += n;
    t->in[t->len] = '\0';
    return true;
}

static bool
take_lines(struct rest_stream *t)
{
    char *end;

    while ((end = memchr(t->in, '\n', t->len)) != NULL) {
        size_t n = (size_t)(end - t->in);

        if (n > 0 && !t->line(t->arg, (struct x402_span){t->in, n})) {
            t->refused = true;
            return false;
        }
        t->len -= n + 1;
        memmove(t->in, end + 1, t->len);
    }
    return true;
}

/* 0 makes libcurl break the transfer off. */
static size_t
on_bytes(char *at, size_t size, size_t count, void *arg)
{
    struct rest_stream *t = arg;
    size_t n = size * count;
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!keep(t, at, n))
        return 0;
    if (t->cb == NULL && status == 200 && !take_lines(t))
        return 0;
    return n;
}

/* -- the end -- */

static void
forget(struct rest_stream *t)
{
    *t->self = t->next;
    if (t->next != NULL)
        t->next->self = t->self;
    if (t->easy != NULL) {
        multi_remove(t->rest->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    curl_slist_free_all(t->headers);
    free(t->body);
    free(t->in);
    free(t);
}

static const char *
reason(const struct rest_stream *t, CURLcode code)
{
    if (t->too_large)
        return "answer too large";
    if (t->refused)
        return "not understood";
    return code == CURLE_OK ? "" : curl_easy_strerror(code);
}

static void
tell(struct rest_stream *t, CURLcode code)
{
    struct rest_answer answer = {.why = reason(t, code)};
    struct x402_span body = {t->in != NULL ? t->in : "", t->len};
    json_t *json = NULL;

    if (t->cb == NULL) {
        t->end(t->arg, answer.why);
        return;
    }
    if (code == CURLE_OK) {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &answer.http_status);
        if (x402_json_load(&json, body, REST_ANSWER_MAX, X402_JSON_DEPTH_MAX) ==
            X402_OK)
            answer.json = json;
        else
            answer.why = "not JSON";
    }
    t->cb(t->arg, &answer);
    json_decref(json);
}

static void
on_ended(void *arg, CURLcode code)
{
    tell(arg, code);
    forget(arg);
}

static void
maybe_free(struct rest *rest)
{
    if (!rest->gone || rest->all != NULL)
        return;
    if (rest->closed != NULL)
        rest->closed(rest->closed_arg);
    free(rest);
}

/* -- beginning -- */

static void
add_header(struct rest_stream *t, const char *line)
{
    t->headers = must(curl_slist_append(t->headers, line));
}

/* No header, no request: answered from the loop, like any other. */
static void
on_refusal_closed(uv_handle_t *handle)
{
    struct rest_stream *t = handle->data;
    struct rest *rest = t->rest;

    free(handle);
    if (!t->hung_up)
        tell(t, CURLE_LOGIN_DENIED);
    forget(t);
    maybe_free(rest);
}

static void
refuse(struct rest_stream *t)
{
    uv_timer_t *timer = must(calloc(1, sizeof *timer));

    uv_timer_init(t->rest->loop, timer);
    timer->data = t;
    uv_close((uv_handle_t *)timer, on_refusal_closed);
}

static void
set_trust(CURL *easy, const char *cert)
{
    if (cert == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_CAINFO, cert);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* no system roots */
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
}

static struct rest_stream *
transfer_new(struct rest *rest, const char *path, char *body, unsigned ms)
{
    struct rest_stream *t = must(calloc(1, sizeof *t));
    char url[PATH_MAX_LEN + 1024];

    snprintf(url, sizeof url, "%s%s", rest->options.url, path);
    t->rest = rest;
    t->body = body;
    t->easy = multi_easy(url, ms);
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION,
                     (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPINTVL, 10L);
    set_trust(t->easy, rest->options.cert);
    if (body != NULL) {
        add_header(t, "Content-Type: application/json");
        add_header(t, "Expect:");
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)strlen(body));
    }
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    t->next = rest->all;
    t->self = &rest->all;
    if (t->next != NULL)
        t->next->self = &t->next;
    rest->all = t;
    return t;
}

static void
start(struct rest_stream *t)
{
    const struct rest_options *options = &t->rest->options;
    char *header = NULL;

    if (options->header != NULL) {
        header = options->header(options->header_arg);
        if (header == NULL) {
            curl_easy_cleanup(t->easy);
            t->easy = NULL;
            refuse(t);
            return;
        }
        add_header(t, header);
        explicit_bzero(header, strlen(header));
        free(header);
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    multi_add(t->rest->multi, t->easy);
}

void
rest_get(struct rest *rest, const char *path, unsigned timeout_ms, rest_cb cb,
         void *arg)
{
    rest_post(rest, path, NULL, timeout_ms, cb, arg);
}

void
rest_post(struct rest *rest, const char *path, char *body, unsigned timeout_ms,
          rest_cb cb, void *arg)
{
    struct rest_stream *t = transfer_new(rest, path, body, timeout_ms);

    t->max = REST_ANSWER_MAX;
    t->cb = cb;
    t->arg = arg;
    start(t);
}

struct rest_stream *
rest_listen(struct rest *rest, const char *path, rest_line_cb line,
            rest_end_cb end, void *arg)
{
    struct rest_stream *t = transfer_new(rest, path, NULL, 0);

    t->max = REST_LINE_MAX;
    t->line = line;
    t->end = end;
    t->arg = arg;
    start(t);
    return t;
}

void
rest_hang_up(struct rest_stream *stream)
{
    if (stream->easy == NULL)
        stream->hung_up = true; /* its refusal is under way */
    else
        forget(stream);
}

/* -- the whole -- */

struct rest *
rest_new(uv_loop_t *loop, const struct rest_options *options)
{
    struct rest *rest = must(calloc(1, sizeof *rest));

    rest->loop = loop;
    rest->options = *options;
    rest->multi = multi_new(loop, on_ended);
    return rest;
}

static void
on_multi_closed(void *arg)
{
    struct rest *rest = arg;

    rest->gone = true;
    maybe_free(rest);
}

void
rest_close(struct rest *rest, void (*closed)(void *arg), void *arg)
{
    struct rest_stream *t, *next;

    rest->closed = closed;
    rest->closed_arg = arg;
    for (t = rest->all; t != NULL; t = next) {
        next = t->next;
        if (t->easy != NULL)
            on_ended(t, CURLE_ABORTED_BY_CALLBACK);
    }
    multi_close(rest->multi, on_multi_closed, rest);
}
