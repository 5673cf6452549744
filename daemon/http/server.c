/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: opening and closing, the table of URLs, the limits that hold
 * for all of them. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <x402/eip712.h>

#include "../log.h"
#include "../metrics.h"
#include "request.h"

#define LAST_ANSWERS_MS 500

static const struct http_route routes[] = {
    {"/verify", "POST", HTTP_SHAPE_VERIFY, HTTP_DOOR_VERIFY, http_verify},
    {"/settle", "POST", HTTP_SHAPE_SETTLE, HTTP_DOOR_SETTLE, http_settle},
    {"/supported", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_OPEN, http_supported},
    {"/health", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_OPEN, http_health},
    {"/.well-known/jwks.json", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_OPEN,
     http_jwks},
    {"/discovery/resources", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_BROWSE,
     http_discovery_resources},
    {"/discovery/search", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_BROWSE,
     http_discovery_search},
    {"/discovery/merchant", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_BROWSE,
     http_discovery_merchant},
    {"/discovery/live", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_SELLER,
     http_discovery_live},
    {"/register", "POST", HTTP_SHAPE_ERROR, HTTP_DOOR_SELLER, http_register},
    {"/bazaar", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_BROWSE, http_bazaar_page},
    {"/metrics", "GET", HTTP_SHAPE_ERROR, HTTP_DOOR_MACHINE, http_metrics},
};

static const struct http_route *
find_route(const char *url)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, url) == 0)
            return &routes[i];
    }
    return NULL;
}

static uint64_t
monotonic_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* -- libmicrohttpd's calls: those of one connection on one of its threads -- */

static struct slow_link *
link_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;
    const union MHD_ConnectionInfo *info;

    switch (code) {
    case MHD_CONNECTION_NOTIFY_STARTED:
        info = MHD_get_connection_info(connection,
                                       MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = info != NULL ? slow_link_new(http->slow, info->connect_fd,
                                                monotonic_ms())
                                : NULL;
        return;
    case MHD_CONNECTION_NOTIFY_CLOSED:
        atomic_fetch_sub(&http->connections, 1);
        slow_link_free(http->slow, *context);
        *context = NULL;
        return;
    }
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **state,
             enum MHD_RequestTerminationCode code)
{
    struct http *http = cls;

    (void)code;
    slow_link_phase(http->slow, link_of(connection), SLOW_WAITING,
                    monotonic_ms());
    if (*state == NULL)
        return;
    atomic_fetch_sub(&http->in_flight, 1);
    http_request_release(*state);
    *state = NULL;
}

/** Its texts may quote what a client sent: only the format is logged. */
__attribute__((format(printf, 2, 0))) static void
on_log(void *cls, const char *format, va_list args)
{
    (void)cls;
    (void)args;
    log_event(LOG_DEBUG, "http_library", "message", format, NULL);
}

static bool
is_hopeless(struct MHD_Connection *connection)
{
    const char *text = MHD_lookup_connection_value(
        connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return text != NULL && strtoull(text, NULL, 10) > HTTP_DISCARD_MAX;
}

static enum http_next
refuse_large(struct http_request *request)
{
    return http_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, X402_ERR_TOO_LARGE,
                       "the body may have 65536 bytes");
}

/** The headers are here.  A refusal waits until the body is read, so that the
 * connection stays usable; a body beyond all bounds is not waited for. */
static enum MHD_Result
begin(struct http *http, struct MHD_Connection *connection, const char *url,
      const char *method, void **state)
{
    struct http_request *request =
        http_request_new(http, connection, find_route(url));

    if (request == NULL)
        return MHD_NO;
    *state = request;
    metrics_add(METRIC_HTTP_REQUESTS, 1);
    slow_link_phase(http->slow, link_of(connection), SLOW_BODY, monotonic_ms());
    if (http_guard(request, method) && is_hopeless(connection))
        refuse_large(request);
    if (request->status != 0 && is_hopeless(connection))
        return http_request_send(request);
    return MHD_YES;
}

static enum http_next
respond(struct http_request *request)
{
    slow_link_phase(request->http->slow, link_of(request->connection),
                    SLOW_WORKING, monotonic_ms());
    if (request->status != 0)
        return HTTP_ANSWER;
    if (request->discarded != 0)
        return refuse_large(request);
    return request->route->handle(request);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *data,
           size_t *data_len, void **state)
{
    struct http_request *request = *state;
    bool go_on;

    (void)version;
    if (request == NULL)
        return begin(cls, connection, url, method, state);
    if (*data_len != 0) {
        go_on = http_request_body(request, data, *data_len);
        *data_len = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    if (!request->ready && respond(request) == HTTP_WAIT)
        return MHD_YES;
    return http_request_send(request);
}

/* -- open -- */

/** More than one share the connections. */
static unsigned
count_threads(void)
{
    unsigned n = uv_available_parallelism();

    return n <= 1 ? 0 : n > HTTP_THREADS_MAX ? HTTP_THREADS_MAX : n;
}

static struct MHD_Daemon *
start(struct http *http)
{
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD |
                           MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                           MHD_USE_ERROR_LOG;

    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER,
        on_log, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_THREAD_POOL_SIZE, count_threads(),
        MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(HTTP_CONNECTIONS_MAX * HTTP_THREADS_MAX + 1),
        MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        http->loopback ? 0U : (unsigned)HTTP_CONNECTIONS_PER_IP,
        MHD_OPTION_CONNECTION_TIMEOUT, SLOW_WAIT_MS / 1000U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static void
compute_domains(struct http *http)
{
    const struct x402_asset *asset;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        struct http_domain *domain = &http->domain[http->domain_len];

        if (config_network(http->config, asset->chain_id) == NULL ||
            http->domain_len == HTTP_DOMAINS_MAX)
            continue;
        domain->asset = asset;
        x402_method_domain(domain->token, X402_METHOD_EIP3009, asset);
        x402_method_domain(domain->permit2, X402_METHOD_PERMIT2_EXACT, asset);
        http->domain_len++;
    }
}

static void
on_tick(uv_timer_t *timer)
{
    struct http *http = timer->data;

    slow_sweep(http->slow, monotonic_ms());
    http_listen_again(http);
}

void
http_free(struct http *http)
{
    if (http == NULL)
        return;
    while (http->waiting != NULL) {
        struct http_request *request = http->waiting;

        http_unlink(request);
        http_request_release(request);
    }
    attest_close(http->verifier);
    slow_free(http->slow);
    peers_free(http->peers);
    pthread_mutex_destroy(&http->lock);
    pthread_mutex_destroy(&http->counting);
    free(http);
}

struct http *
http_open(struct core *core, const struct config *config,
          struct cashier *cashier, struct ledger *ledger, struct bazaar *bazaar,
          char *error, size_t error_len)
{
    struct http *http = calloc(1, sizeof(*http));

    if (http == NULL || (http->slow = slow_new()) == NULL ||
        (http->peers = peers_new()) == NULL) {
        snprintf(error, error_len, "out of memory");
        abort();
    }
    http->core = core;
    http->config = config;
    http->cashier = cashier;
    http->ledger = ledger;
    http->bazaar = bazaar;
    http->came_last = &http->came;
    pthread_mutex_init(&http->lock, NULL);
    pthread_mutex_init(&http->counting, NULL);
    compute_domains(http);
    if (config->attestation_key_file != NULL) {
        http->verifier =
            attest_open(config->attestation_key_file, error, error_len);
        if (http->verifier == NULL) {
            http_free(http);
            return NULL;
        }
    }
    if (!http_listen(http, error, error_len)) {
        http_free(http);
        return NULL;
    }
    http->daemon = start(http);
    if (http->daemon == NULL) {
        snprintf(error, error_len, "cannot start the HTTP server");
        close(http->listen_fd);
        http_free(http);
        return NULL;
    }
    http_listen_start(http);
    http->tick.data = http;
    http->gather.data = http;
    uv_timer_init(core_loop(core), &http->gather);
    uv_timer_init(core_loop(core), &http->tick);
    uv_timer_start(&http->tick, on_tick, 1000, 1000);
    return http;
}

void
http_set_lightning(struct http *http, struct lightning *lightning)
{
    http->lightning = lightning;
}

void
http_reconfigure(struct http *http, const struct config *config)
{
    http->config = config;
}

/* -- close -- */

void
http_drain(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    http->draining = true;
    pthread_mutex_unlock(&http->lock);
    http_listen_stop(http);
}

size_t
http_in_flight(const struct http *http)
{
    return atomic_load(&http->in_flight);
}

/** The core's share of a request is not given up: it stays in the list until
 * its work ends in http_answer, which then only frees, or until http_free. */
static void
abort_waiting(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    for (struct http_request *request = http->waiting; request != NULL;
         request = request->next) {
        request->aborted = true;
        http_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, X402_ERR_UNAVAILABLE,
                    "shutting down; ask again");
        request->ready = true;
        MHD_resume_connection(request->connection);
    }
    pthread_mutex_unlock(&http->lock);
}

/** Stopping cuts connections off: first let the last answers go out. */
static void
wait_for_answers(const struct http *http)
{
    for (int i = 0; i < LAST_ANSWERS_MS / 10 && http_in_flight(http) != 0; i++)
        uv_sleep(10);
}

void
http_close(struct http *http)
{
    if (http == NULL)
        return;
    http_drain(http);
    abort_waiting(http);
    wait_for_answers(http);
    MHD_stop_daemon(http->daemon);
    uv_close((uv_handle_t *)&http->tick, NULL);
    uv_close((uv_handle_t *)&http->gather, NULL);
}
