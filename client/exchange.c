/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exchange.h"
#include "mutant.h"
#include "peer.h"
#include "trace.h"

enum { CONNECT_TIMEOUT_S = 30, PROGRESS_AFTER_S = 1 };

struct exchange {
    CURL *curl;
    const struct say *say;
    const struct exchange_request *request; /* of the current run */
    const struct exchange_events *events;
    struct exchange_answer answer;
    enum exchange_sink sink;
    bool head_done;
    bool heads_full;
    time_t began;
    time_t shown; /* progress line, last second shown; 0: none */
};

struct exchange *
exchange_new(const struct say *say)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL)
        return NULL;
    exchange->curl = curl_easy_init();
    if (exchange->curl == NULL) {
        free(exchange);
        return NULL;
    }
    exchange->say = say;
    heads_begin(&exchange->answer.heads);
    exchange->answer.body = blob_max(EXCHANGE_BODY_MAX);
    return exchange;
}

void
exchange_free(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    curl_easy_cleanup(exchange->curl);
    heads_free(&exchange->answer.heads);
    blob_free(&exchange->answer.body);
    free(exchange);
}

static time_t
monotonic_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void
clear_progress(struct exchange *exchange)
{
    if (exchange->shown != 0)
        fputs("\r\033[K", stderr);
    exchange->shown = 0;
}

/* A line on the terminal for whatever takes longer than a second. */
static int
on_progress(void *owner, curl_off_t dl_total, curl_off_t dl_now,
            curl_off_t ul_total, curl_off_t ul_now)
{
    struct exchange *exchange = owner;
    time_t now = monotonic_s();

    (void)dl_total;
    (void)ul_total;
    (void)ul_now;
    if (now - exchange->began <= PROGRESS_AFTER_S || now == exchange->shown)
        return 0;
    exchange->shown = now;
    fprintf(
        stderr, "\r\033[Kx402: %s %s, %ld s, %" CURL_FORMAT_CURL_OFF_T " bytes",
        exchange->head_done ? "receiving from" : "waiting for",
        exchange->request->url->host, (long)(now - exchange->began), dl_now);
    fflush(stderr);
    return 0;
}

/* The blank line that ends a block; 1xx blocks are followed by another. */
static void
head_complete(struct exchange *exchange)
{
    const struct exchange_events *events = exchange->events;
    char *ip = NULL;
    long status = 0;

    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200)
        return;
    exchange->answer.status = status;
    curl_easy_getinfo(exchange->curl, CURLINFO_PRIMARY_IP, &ip);
    exchange->answer.peer_loopback = peer_text_is_loopback(ip);
    exchange->head_done = true;
    exchange->sink = EXCHANGE_DROP;
    if (events->head != NULL)
        exchange->sink = events->head(events->owner, &exchange->answer);
}

static size_t
on_header(char *line, size_t size, size_t count, void *owner)
{
    struct exchange *exchange = owner;
    size_t len = size * count;

    if (exchange->head_done)
        return len; /* a trailer */
    if (!heads_add(&exchange->answer.heads, line, len)) {
        exchange->heads_full = true;
        return 0;
    }
    if (line[0] == '\r' || line[0] == '\n')
        head_complete(exchange);
    return len;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct exchange *exchange = owner;
    size_t len = size * count;
    struct blob *body = &exchange->answer.body;

    switch (exchange->sink) {
    case EXCHANGE_DROP:
        return len;
    case EXCHANGE_KEEP:
        if (!exchange->answer.body_cut && !blob_add(body, bytes, len))
            exchange->answer.body_cut = true;
        return len;
    case EXCHANGE_STREAM:
        clear_progress(exchange);
        return exchange->events->body(exchange->events->owner, bytes, len) ? len
                                                                           : 0;
    }
    return 0;
}

/* Refuse an address before anything is sent to it.  libcurl asks here with the
 * address that it will connect to, so no second look-up can differ. */
static curl_socket_t
on_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *exchange = owner;
    const struct exchange_request *request = exchange->request;
    bool loopback = peer_is_loopback(&address->addr);

    (void)purpose;
    if ((request->pays && !request->url->https && !loopback) ||
        (request->no_private && peer_is_private(&address->addr))) {
        exchange->answer.blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

static void
set_method(CURL *curl, const struct exchange_request *request)
{
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->has_body) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.at == NULL ? "" : request->body.at);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void
set_limits(CURL *curl, const struct exchange_request *request)
{
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->max_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, request->silence_s);
    /* On a connection that was used before, libcurl sends a request again by
     * itself when the first sending meets a closed one: with a payment in it
     * that would be a sending that nobody counts. */
    if (request->pays)
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    if (request->cacert != NULL) {
        /* instead of the system's authorities, whose folder Debian's libcurl
         * would go on to read */
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->cacert);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if ((request->insecure && request->url->loopback) ||
        client_mutant("tls_unchecked")) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void
set_callbacks(struct exchange *exchange)
{
    CURL *curl = exchange->curl;

    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->answer.error);
    if (exchange->say->tty && !exchange->say->quiet) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
    }
    if (exchange->say->verbose) {
        curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
        curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, trace_curl);
    }
}

static void
begin(struct exchange *exchange, const struct exchange_request *request,
      const struct exchange_events *events)
{
    struct exchange_answer *answer = &exchange->answer;

    blob_clear(&answer->heads.lines);
    blob_clear(&answer->body);
    answer->code = CURLE_OK;
    answer->error[0] = '\0';
    answer->status = 0;
    answer->body_cut = answer->peer_loopback = answer->blocked = false;
    exchange->request = request;
    exchange->events = events;
    exchange->head_done = exchange->heads_full = false;
    exchange->began = monotonic_s();
    exchange->shown = 0;
}

const struct exchange_answer *
exchange_run(struct exchange *exchange, const struct exchange_request *request,
             const struct exchange_events *events)
{
    struct exchange_answer *answer = &exchange->answer;
    CURL *curl = exchange->curl;

    begin(exchange, request, events);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url->text);
    /* libcurl only reads the list */
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
    set_method(curl, request);
    set_limits(curl, request);
    set_callbacks(exchange);
    answer->code = curl_easy_perform(curl);
    clear_progress(exchange);
    if (exchange->heads_full) {
        answer->code = CURLE_RECV_ERROR;
        snprintf(answer->error, sizeof(answer->error),
                 "the answer's header is larger than %d bytes", HEADS_MAX);
    } else if (answer->blocked) {
        snprintf(answer->error, sizeof(answer->error),
                 "the host's address is one that this request may not go to");
    } else if (answer->code == CURLE_OK && !exchange->head_done) {
        /* libcurl finds nothing wrong with half a header */
        answer->code = CURLE_RECV_ERROR;
        snprintf(answer->error, sizeof(answer->error),
                 "the connection ended in the middle of the header");
    } else if (answer->code != CURLE_OK && answer->error[0] == '\0') {
        snprintf(answer->error, sizeof(answer->error), "%s",
                 curl_easy_strerror(answer->code));
    }
    return answer;
}
