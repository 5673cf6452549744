/* SPDX-License-Identifier: Apache-2.0 */
/* A request's memory, its body, its answer, and its way to the core and back.
 *
 * It has up to two owners: libmicrohttpd until it reports the end, and the core
 * while it works.  Whoever lets go last frees it, so an answer for a client
 * that left is dropped without a leak. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bazaar/bazaar.h"
#include "../failpoint.h"
#include "../metrics.h"

struct http_request *
http_request_new(struct http *http, struct MHD_Connection *connection,
                 const struct http_route *route)
{
    struct http_request *request = malloc(sizeof(*request));

    if (request == NULL)
        return NULL;
    /* all but the text, which x402_buf keeps track of */
    memset(request, 0, offsetof(struct http_request, text));
    request->http = http;
    request->config = http->config;
    request->connection = connection;
    request->route = route;
    request->type = "application/json";
    request->out = x402_buf_on(request->text, sizeof(request->text));
    atomic_init(&request->owners, 1);
    atomic_fetch_add(&http->in_flight, 1);
    return request;
}

void
http_request_release(struct http_request *request)
{
    if (atomic_fetch_sub(&request->owners, 1) > 1)
        return;
    bazaar_offer_free(request->offer);
    free(request->large);
    free(request->asking);
    free(request->found);
    free(request->body);
    free(request);
}

/* -- body -- */

static bool
make_room(struct http_request *request, size_t len)
{
    size_t cap = request->body_cap != 0 ? request->body_cap : 2048;
    char *body;

    while (cap < request->body_len + len)
        cap *= 2;
    if (cap == request->body_cap)
        return true;
    body = realloc(request->body, cap);
    if (body == NULL)
        return false;
    request->body = body;
    request->body_cap = cap;
    return true;
}

bool
http_request_body(struct http_request *request, const char *data, size_t len)
{
    bool fits = request->status == 0 && request->discarded == 0 &&
                len <= X402_FACILITATOR_BODY_MAX - request->body_len;

    if (!fits || !make_room(request, len)) {
        request->discarded += len;
        return request->discarded <= HTTP_DISCARD_MAX;
    }
    memcpy(request->body + request->body_len, data, len);
    request->body_len += len;
    return true;
}

/* -- answer -- */

static void
add_member(struct x402_buf *out, const char *before, const char *text)
{
    x402_buf_text(out, before);
    x402_buf_json(out, x402_span_of(text));
}

/** In the version of the request, as far as it was read. */
static const char *
reason_text(const struct http_request *request, enum x402_err err)
{
    const struct x402_err_info *info = x402_err_info(err);

    return request->payment.version == 1 ? info->v1 : info->v2;
}

enum http_next
http_refuse(struct http_request *request, unsigned status, enum x402_err err,
            const char *message)
{
    const char *reason = reason_text(request, err);
    struct x402_buf *out = &request->out;
    enum http_shape shape =
        request->route != NULL ? request->route->shape : HTTP_SHAPE_ERROR;

    *out = x402_buf_on(request->text, sizeof(request->text));
    request->status = status;
    metrics_add(METRIC_HTTP_REFUSED, 1);
    switch (shape) {
    case HTTP_SHAPE_ERROR:
        add_member(out, "{\"error\":", message);
        break;
    case HTTP_SHAPE_VERIFY:
        add_member(out, "{\"isValid\":false,\"invalidReason\":", reason);
        add_member(out, ",\"invalidMessage\":", message);
        break;
    case HTTP_SHAPE_SETTLE:
        add_member(out, "{\"success\":false,\"errorReason\":", reason);
        add_member(out, ",\"errorMessage\":", message);
        x402_buf_text(out, ",\"transaction\":\"\",\"network\":\"\"");
        break;
    }
    x402_buf_char(out, '}');
    return HTTP_ANSWER;
}

static void
add_headers(struct MHD_Response *response, const struct http_request *request)
{
    char seconds[16];

    MHD_add_response_header(response, "Content-Type", request->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (request->policy != NULL) {
        MHD_add_response_header(response, "Content-Security-Policy",
                                request->policy);
        MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    }
    if (request->extensions[0] != '\0')
        MHD_add_response_header(response, "EXTENSION-RESPONSES",
                                request->extensions);
    if (request->challenge)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (request->allow != NULL)
        MHD_add_response_header(response, "Allow", request->allow);
    if (request->retry_after_s != 0) {
        snprintf(seconds, sizeof(seconds), "%u", request->retry_after_s);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
}

static struct MHD_Response *
make_response(struct http_request *request)
{
    struct MHD_Response *response;

    if (request->large == NULL)
        return MHD_create_response_from_buffer(request->out.len, request->text,
                                               MHD_RESPMEM_MUST_COPY);
    response = MHD_create_response_from_buffer(
        request->large_len, request->large, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        request->large = NULL; /* its own now */
    return response;
}

enum MHD_Result
http_request_send(struct http_request *request)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    if (request->out.full)
        return MHD_NO;
    response = make_response(request);
    if (response == NULL)
        return MHD_NO;
    add_headers(response, request);
    failpoint("before_http_answer");
    result = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* -- to the core and back -- */

/* Waking the core costs as much as its work on a request.  So the first of a
 * few wakes it, and in a crowd it looks by itself, once a millisecond. */
#define GATHER_MS 1

/** With the lock held.  true: the core is to be told. */
static bool
came(struct http *http, struct http_request *request)
{
    bool tell = !http->core_looks;

    request->came_next = NULL;
    *http->came_last = request;
    http->came_last = &request->came_next;
    http->core_looks = true;
    crowd_came(&http->crowd, uv_hrtime());
    return tell;
}

static void look_again(uv_timer_t *timer);

static struct http_request *
take_those_that_came(struct http *http)
{
    struct http_request *first;

    pthread_mutex_lock(&http->lock);
    first = http->came;
    http->came = NULL;
    http->came_last = &http->came;
    http->core_looks = crowd_is(&http->crowd, uv_hrtime());
    if (http->core_looks)
        uv_timer_start(&http->gather, look_again, GATHER_MS, 0);
    pthread_mutex_unlock(&http->lock);
    return first;
}

static void
look(void *arg)
{
    struct http_request *request = take_those_that_came(arg);

    while (request != NULL) {
        struct http_request *next = request->came_next;

        if (request->aborted)
            http_answer(request);
        else
            request->work(request);
        request = next;
    }
}

static void
look_again(uv_timer_t *timer)
{
    look(timer->data);
}

enum http_next
http_to_core(struct http_request *request,
             void (*work)(struct http_request *request))
{
    struct http *http = request->http;
    bool draining, tell = false;

    request->work = work;
    pthread_mutex_lock(&http->lock);
    draining = http->draining;
    if (!draining) {
        tell = came(http, request);
        request->next = http->waiting;
        request->link = &http->waiting;
        if (request->next != NULL)
            request->next->link = &request->next;
        http->waiting = request;
        atomic_fetch_add(&request->owners, 1);
        MHD_suspend_connection(request->connection);
    }
    pthread_mutex_unlock(&http->lock);
    if (draining) {
        request->retry_after_s = 1;
        return http_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                           X402_ERR_UNAVAILABLE, "shutting down");
    }
    if (tell)
        core_post(http->core, look, http);
    return HTTP_WAIT;
}

void
http_unlink(struct http_request *request)
{
    struct http *http = request->http;

    pthread_mutex_lock(&http->lock);
    *request->link = request->next;
    if (request->next != NULL)
        request->next->link = request->link;
    pthread_mutex_unlock(&http->lock);
}

void
http_answer(struct http_request *request)
{
    http_unlink(request);
    if (!request->aborted) {
        request->ready = true;
        MHD_resume_connection(request->connection);
    }
    http_request_release(request);
}
