/* SPDX-License-Identifier: Apache-2.0 */
/* The listener of the status page: who may ask, for what. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../failpoint.h"
#include "inside.h"

/* Each file is a list of its lines, made by the build. */
static const char *const page_html[] = {
#include "status.html.h"
    NULL};
static const char *const page_js[] = {
#include "status.js.h"
    NULL};
static const char *const page_css[] = {
#include "status.css.h"
    NULL};

/* A payment's page is the same file; its script looks at the path's query. */
static const struct {
    const char *path;
    const char *const *lines;
    const char *type;
} pages[] = {
    {"/", page_html, "text/html; charset=utf-8"},
    {"/status.js", page_js, "text/javascript; charset=utf-8"},
    {"/status.css", page_css, "text/css; charset=utf-8"},
};

/* -- answers -- */

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, const char *type,
       const char *text, size_t len)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(
        response, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy",
                            "same-origin");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
refuse(struct MHD_Connection *connection, unsigned status, const char *why)
{
    return answer(connection, status, "text/plain; charset=utf-8", why,
                  strlen(why));
}

static enum MHD_Result
answer_json(struct MHD_Connection *connection, const struct x402_buf *out)
{
    if (out->full || out->len == 0)
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "the ledger could not be read\n");
    return answer(connection, MHD_HTTP_OK, "application/json", out->at,
                  out->len);
}

static enum MHD_Result
answer_page(struct status *status, struct MHD_Connection *connection, size_t i)
{
    struct x402_buf out = x402_buf_on(status->answer, STATUS_ANSWER_MAX);

    for (const char *const *line = pages[i].lines; *line != NULL; line++)
        x402_buf_text(&out, *line);
    return answer(connection, MHD_HTTP_OK, pages[i].type, out.at, out.len);
}

/* -- who may ask -- */

/* A page of somebody else's that a browser here shows can reach loopback; its
 * name, rebound to 127.0.0.1, stands in Host. */
static bool
is_our_host(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};

    for (size_t i = 0; host != NULL && i < 3; i++) {
        size_t len = strlen(names[i]);

        if (strncasecmp(host, names[i], len) == 0 &&
            (host[len] == '\0' || host[len] == ':'))
            return true;
    }
    return false;
}

static const char *
argument(struct MHD_Connection *connection, const char *name)
{
    const char *text =
        MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);

    return text != NULL ? text : "";
}

static enum MHD_Result
answer_one(struct status *status, struct MHD_Connection *connection,
           struct x402_buf *out,
           bool (*write)(struct status *, struct x402_buf *, int64_t))
{
    const char *text = argument(connection, "id");
    char *end;
    long long id = strtoll(text, &end, 10);

    if (*end != '\0' || id <= 0 || !write(status, out, id))
        return refuse(connection, MHD_HTTP_NOT_FOUND, "no such payment\n");
    return answer_json(connection, out);
}

static enum MHD_Result
answer_api(struct status *status, struct MHD_Connection *connection,
           const char *url)
{
    struct x402_buf out = x402_buf_on(status->answer, STATUS_ANSWER_MAX);

    atomic_store(&status->wanted, true);
    if (strcmp(url, "/api/overview") == 0)
        status_overview(status, &out);
    else if (strcmp(url, "/api/income") == 0)
        status_income(status, &out);
    else if (strcmp(url, "/api/invoices") == 0)
        status_invoices(status, &out);
    else if (strcmp(url, "/api/payment") == 0)
        return answer_one(status, connection, &out, status_payment);
    else if (strcmp(url, "/api/invoice") == 0)
        return answer_one(status, connection, &out, status_invoice);
    else if (strcmp(url, "/api/payments") != 0)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "no such page\n");
    else if (!status_payments(status, &out, argument(connection, "state")))
        return refuse(connection, MHD_HTTP_NOT_FOUND, "no such state\n");
    return answer_json(connection, &out);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *upload,
           size_t *upload_len, void **state)
{
    struct status *status = cls;

    (void)version;
    (void)upload;
    (void)upload_len;
    (void)state;
    if (!is_our_host(
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host")) &&
        !mutant("status_any_host"))
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "this page is for 127.0.0.1, localhost and [::1]\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                      "this page is only read\n");
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(pages[i].path, url) == 0)
            return answer_page(status, connection, i);
    }
    return answer_api(status, connection, url);
}

/* -- open, close -- */

static int
open_socket(const struct config *config)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)config->status_port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port =
                                  htons((uint16_t)config->status_port)};
    bool is_v6 = inet_pton(AF_INET6, config->status_host, &v6.sin6_addr) == 1;
    int one = 1, fd;

    if (!is_v6 && inet_pton(AF_INET, config->status_host, &v4.sin_addr) != 1)
        return -1;
    fd = socket(is_v6 ? AF_INET6 : AF_INET,
                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        bind(fd, is_v6 ? (void *)&v6 : (void *)&v4,
             is_v6 ? sizeof(v6) : sizeof(v4)) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    close(fd);
    return -1;
}

static void
on_tick(uv_timer_t *timer)
{
    struct status *status = timer->data;

    if (atomic_exchange(&status->wanted, false))
        status_look(status);
}

static bool
start(struct status *status, char *error, size_t error_len)
{
    const struct config *config = status->config;
    int fd = open_socket(config);

    if (fd < 0) {
        snprintf(error, error_len, "status: cannot listen on %s port %u: %s",
                 config->status_host, config->status_port, strerror(errno));
        return false;
    }
    status->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, status,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)STATUS_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 30U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (status->daemon != NULL)
        return true;
    close(fd);
    snprintf(error, error_len, "status: cannot start its HTTP server");
    return false;
}

struct status *
status_open(struct core *core, const struct config *config,
            struct cashier *cashier, struct ledger *ledger, char *error,
            size_t error_len)
{
    struct status *status = calloc(1, sizeof(*status));

    if (status == NULL ||
        (status->answer = malloc(STATUS_ANSWER_MAX)) == NULL ||
        (status->income = malloc(STATUS_ANSWER_MAX)) == NULL)
        abort();
    status->core = core;
    status->config = config;
    status->cashier = cashier;
    status->ledger = ledger;
    pthread_mutex_init(&status->lock, NULL);
    status->view =
        ledger_view_open(config->ledger_file, false, error, error_len);
    if (status->view == NULL) {
        status_free(status);
        return NULL;
    }
    status_look(status);
    if (!start(status, error, error_len)) {
        status_free(status);
        return NULL;
    }
    status->tick.data = status;
    uv_timer_init(core_loop(core), &status->tick);
    uv_timer_start(&status->tick, on_tick, 1000, 1000);
    return status;
}

void
status_reconfigure(struct status *status, const struct config *config)
{
    status->config = config;
}

void
status_close(struct status *status)
{
    if (status == NULL)
        return;
    MHD_stop_daemon(status->daemon);
    uv_close((uv_handle_t *)&status->tick, NULL);
}

void
status_free(struct status *status)
{
    if (status == NULL)
        return;
    ledger_view_close(status->view);
    pthread_mutex_destroy(&status->lock);
    free(status->answer);
    free(status->income);
    free(status);
}
