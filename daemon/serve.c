/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the process.  Opening goes core, ledger, chains, cashier, till,
 * HTTP; closing goes the other way, in three steps of one timer, because the
 * till and the chains need the loop to finish what they hold.  A kill at any
 * point is as good as a stop: the ledger is read again at the next start. */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "bazaar/bazaar.h"
#include "cashier.h"
#include "http/http.h"
#include "lightning/lightning.h"
#include "log.h"
#include "status/status.h"
#include "till/till.h"

#define TILL_GRACE_MS 5000 /* requests of workers */
#define HTTP_GRACE_MS 6000 /* requests of the API */
#define STOP_MAX_MS 8000   /* all of it */
#define TICK_MS 50

enum step {
    STEP_RUN,
    STEP_DRAIN,  /* no new work; till and HTTP finish what they hold */
    STEP_CHAINS, /* the chains and LND finish their calls */
    STEP_END,
};

/** A configuration that was replaced. */
struct former {
    struct former *next;
    struct config *config;
};

struct serving {
    struct config *config;
    struct former *former; /* still referred to here and there */
    const char *path;
    struct core *core;
    struct ledger *ledger;
    struct chain *chain[CONFIG_NETWORKS_MAX];
    size_t chain_len;
    struct cashier *cashier;
    struct lightning *lightning; /* NULL: not configured */
    struct till *till;
    struct bazaar *bazaar; /* NULL: not configured */
    struct http *http;
    struct status *status; /* NULL: not configured */

    uv_signal_t on_term, on_int, on_hup;
    uv_timer_t tick;
    enum step step;
    uint64_t stop_ms; /* when the stop began */
    bool till_open;
    size_t chains_open;
    int exit_code;
};

/* -- stopping -- */

static void
on_till_closed(void *arg)
{
    struct serving *s = arg;

    s->till_open = false;
}

static void
on_chain_closed(void *arg)
{
    struct serving *s = arg;

    s->chains_open--;
}

static void
begin_stop(struct serving *s)
{
    s->step = STEP_DRAIN;
    s->stop_ms = uv_now(core_loop(s->core));
    log_event(LOG_INFO, "stopping", NULL);
    if (s->http != NULL)
        http_drain(s->http);
    if (s->till != NULL) {
        s->till_open = true;
        till_close(s->till, TILL_GRACE_MS, on_till_closed, s);
    }
}

/** Whoever still waits for a block is told how far his payment got: the chains
 * answer as they close, and only then HTTP does. */
static void
close_chains(struct serving *s)
{
    s->step = STEP_CHAINS;
    s->chains_open = s->chain_len;
    if (s->lightning != NULL) {
        s->chains_open++;
        lightning_close(s->lightning, on_chain_closed, s);
    }
    for (size_t i = 0; i < s->chain_len; i++)
        chain_close(s->chain[i], on_chain_closed, s);
}

static void
end_loop(struct serving *s)
{
    s->step = STEP_END;
    http_close(s->http);
    status_close(s->status);
    uv_close((uv_handle_t *)&s->tick, NULL);
    uv_close((uv_handle_t *)&s->on_term, NULL);
    uv_close((uv_handle_t *)&s->on_int, NULL);
    uv_close((uv_handle_t *)&s->on_hup, NULL);
    uv_stop(core_loop(s->core));
}

static bool
is_drained(const struct serving *s, uint64_t elapsed_ms)
{
    if (s->till_open)
        return false;
    return s->http == NULL || http_in_flight(s->http) == 0 ||
           elapsed_ms > HTTP_GRACE_MS;
}

static void
on_tick(uv_timer_t *timer)
{
    struct serving *s = timer->data;
    uint64_t elapsed_ms = uv_now(timer->loop) - s->stop_ms;

    if (s->step == STEP_RUN)
        return;
    if (s->step == STEP_DRAIN && is_drained(s, elapsed_ms))
        close_chains(s);
    if (s->step == STEP_CHAINS && s->chains_open == 0)
        end_loop(s);
    if (s->step != STEP_END && elapsed_ms > STOP_MAX_MS) {
        log_event(LOG_WARN, "stop_forced", "note",
                  "the next start takes up what was not finished", NULL);
        _exit(s->exit_code);
    }
}

static void tell_payees(struct serving *s);

/* -- signals -- */

static void
start_tick(struct serving *s)
{
    uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
}

/** The second one means it. */
static void
on_stop_signal(uv_signal_t *handle, int number)
{
    struct serving *s = handle->data;

    (void)number;
    if (s->step != STEP_RUN)
        _exit(1);
    begin_stop(s);
    start_tick(s);
}

static void
refuse_reload(const char *reason)
{
    log_event(LOG_ERROR, "reload_refused", "reason", reason, "note",
              "nothing was changed", NULL);
}

static bool
keep_former(struct serving *s)
{
    struct former *former = malloc(sizeof(*former));

    if (former == NULL)
        return false;
    former->config = s->config;
    former->next = s->former;
    s->former = former;
    return true;
}

static void
take_on(struct serving *s, struct config *config)
{
    s->config = config;
    log_open(config->log_level);
    cashier_reconfigure(s->cashier, config);
    for (size_t i = 0; i < s->chain_len; i++)
        chain_reconfigure(s->chain[i], &config->network[i]);
    tell_payees(s);
    if (s->http != NULL)
        http_reconfigure(s->http, config);
    if (s->status != NULL)
        status_reconfigure(s->status, config);
    log_event(LOG_INFO, "reloaded", "log", config->log_level, NULL);
}

/** All of the new file, or nothing of it. */
static void
on_reload_signal(uv_signal_t *handle, int number)
{
    struct serving *s = handle->data;
    char error[1024];
    struct config *config;
    const char *fixed;

    (void)number;
    if (s->step != STEP_RUN || s->cashier == NULL)
        return;
    config = config_load(s->path, error, sizeof(error));
    if (config == NULL) {
        refuse_reload(error);
        return;
    }
    fixed = config_needs_restart(s->config, config);
    if (fixed == NULL && keep_former(s)) {
        take_on(s, config);
        return;
    }
    snprintf(error, sizeof(error), "%s: a change of this needs a restart",
             fixed != NULL ? fixed : "out of memory");
    refuse_reload(error);
    config_free(config);
}

static void
watch_signals(struct serving *s)
{
    uv_loop_t *loop = core_loop(s->core);

    uv_timer_init(loop, &s->tick);
    uv_signal_init(loop, &s->on_term);
    uv_signal_init(loop, &s->on_int);
    uv_signal_init(loop, &s->on_hup);
    s->tick.data = s->on_term.data = s->on_int.data = s->on_hup.data = s;
    uv_signal_start(&s->on_term, on_stop_signal, SIGTERM);
    uv_signal_start(&s->on_int, on_stop_signal, SIGINT);
    uv_signal_start(&s->on_hup, on_reload_signal, SIGHUP);
}

/* -- starting -- */

/** A socket for each client, worker and node; the default 1024 is tight. */
static void
prepare_process(void)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
    setrlimit(RLIMIT_NOFILE, &files);
}

/** Of the configuration, and of its API keys: the tokens that come to them
 * must all be in the ledger. */
static void
tell_payees(struct serving *s)
{
    const struct config *config = s->config;
    struct x402_address payee[CONFIG_PAYEES_MAX +
                              CONFIG_API_KEYS_MAX * CONFIG_API_KEY_PAYEES_MAX];

    for (size_t i = 0; i < s->chain_len; i++) {
        size_t len = 0;

        for (size_t k = 0; k < config->payee_len; k++) {
            if (config->payee[k].network == config->network[i].network)
                payee[len++] = config->payee[k].address;
        }
        for (size_t k = 0; k < config->api_key_len; k++) {
            memcpy(payee + len, config->api_key[k].payee,
                   config->api_key[k].payee_len * sizeof(*payee));
            len += config->api_key[k].payee_len;
        }
        chain_set_payees(s->chain[i], payee, len);
    }
}

static bool
open_chains(struct serving *s, char *error, size_t error_len)
{
    for (size_t i = 0; i < s->config->network_len; i++) {
        s->chain[i] = chain_open(s->core, &s->config->network[i], s->ledger,
                                 error, error_len);
        if (s->chain[i] == NULL)
            return false;
        s->chain_len = i + 1;
    }
    tell_payees(s);
    return true;
}

static bool
open_lightning(struct serving *s, char *error, size_t error_len)
{
    if (s->config->lightning.lnd == NULL)
        return true;
    s->lightning = lightning_open(s->core, &s->config->lightning, s->ledger,
                                  error, error_len);
    return s->lightning != NULL;
}

static bool
open_till(struct serving *s, char *error, size_t error_len)
{
    if (s->config->till_socket == NULL)
        return true;
    s->till =
        till_open(s->core, s->config, s->cashier, s->ledger, error, error_len);
    if (s->till != NULL)
        till_set_lightning(s->till, s->lightning);
    return s->till != NULL;
}

static bool
open_bazaar(struct serving *s, char *error, size_t error_len)
{
    if (s->config->bazaar.file == NULL)
        return true;
    s->bazaar = bazaar_open(s->config, error, error_len);
    return s->bazaar != NULL;
}

static bool
open_http(struct serving *s, char *error, size_t error_len)
{
    if (s->config->http_port == 0)
        return true;
    s->http = http_open(s->core, s->config, s->cashier, s->ledger, s->bazaar,
                        error, error_len);
    if (s->http != NULL)
        http_set_lightning(s->http, s->lightning);
    return s->http != NULL;
}

static bool
open_status(struct serving *s, char *error, size_t error_len)
{
    if (s->config->status_port == 0)
        return true;
    s->status = status_open(s->core, s->config, s->cashier, s->ledger, error,
                            error_len);
    return s->status != NULL;
}

static bool
open_all(struct serving *s, char *error, size_t error_len)
{
    s->ledger = ledger_open(s->core, s->config->ledger_file, error, error_len);
    if (s->ledger == NULL || !open_chains(s, error, error_len))
        return false;
    s->cashier =
        cashier_new(s->core, s->config, s->ledger, s->chain, s->chain_len);
    return open_lightning(s, error, error_len) &&
           open_till(s, error, error_len) && open_bazaar(s, error, error_len) &&
           open_http(s, error, error_len) && open_status(s, error, error_len);
}

/** All networks, or all signers, in one text. */
static void
list_networks(const struct serving *s, char *networks, char *signers,
              size_t len)
{
    struct x402_buf names = x402_buf_on(networks, len - 1);
    struct x402_buf keys = x402_buf_on(signers, len - 1);
    char text[X402_ADDRESS_TEXT_LEN + 1];

    for (size_t i = 0; i < s->chain_len; i++) {
        const struct chain_health *health = chain_health(s->chain[i]);

        x402_buf_text(&names, i != 0 ? " " : "");
        x402_buf_text(&names, s->config->network[i].network->caip2);
        for (size_t k = 0; k < health->signer_len; k++) {
            x402_address_format(text, &health->signer[k]);
            x402_buf_text(&keys, keys.len != 0 ? " " : "");
            x402_buf_text(&keys, text);
        }
    }
    networks[names.len] = '\0';
    signers[keys.len] = '\0';
}

static void
say_ready(const struct serving *s)
{
    const struct config *config = s->config;
    char http[96] = "off", networks[512], signers[512];

    if (config->http_port != 0)
        snprintf(http, sizeof(http), "%s port %u", config->http_host,
                 config->http_port);
    list_networks(s, networks, signers, sizeof(networks));
    log_event(LOG_INFO, "ready", "version", X402D_VERSION, "http", http, "till",
              config->till_socket != NULL ? config->till_socket : "off",
              "ledger", config->ledger_file, "networks", networks, "signers",
              signers, NULL);
}

/** main frees the first one. */
static void
free_configs(struct serving *s)
{
    while (s->former != NULL) {
        struct former *former = s->former;

        s->former = former->next;
        config_free(s->config);
        s->config = former->config;
        free(former);
    }
}

static void
close_all(struct serving *s)
{
    bazaar_close(s->bazaar);
    if (s->ledger != NULL)
        ledger_close(s->ledger);
    if (s->cashier != NULL)
        cashier_free(s->cashier);
    lightning_free(s->lightning);
    core_free(s->core);
    http_free(s->http);
    status_free(s->status);
    free_configs(s);
}

int
serve(struct config *config, const char *path)
{
    struct serving s = {.config = config, .path = path};
    char error[1024] = "";

    prepare_process();
    s.core = core_new();
    watch_signals(&s);
    if (open_all(&s, error, sizeof(error))) {
        say_ready(&s);
    } else {
        log_event(LOG_ERROR, "start_failed", "reason", error, NULL);
        s.exit_code = 1;
        begin_stop(&s);
        start_tick(&s);
    }
    uv_run(core_loop(s.core), UV_RUN_DEFAULT);
    close_all(&s);
    log_event(LOG_INFO, "stopped", NULL);
    return s.exit_code;
}
