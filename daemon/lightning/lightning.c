/* SPDX-License-Identifier: Apache-2.0 */
/* See lightning.h: its life. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>

#include "inside.h"

/* "Grpc-Metadata-macaroon: <hex>", from the file as it is now. */
static char *
make_header(void *arg)
{
    static const char name[] = "Grpc-Metadata-macaroon: ";
    struct lightning *l = arg;
    char error[512], hex[2 * MACAROON_MAX + 3];
    size_t size;
    char *out;

    if (!macaroon_read(&l->macaroon, error, sizeof error))
        return NULL;
    x402_hex_encode(hex, l->macaroon.bytes, l->macaroon.len);
    size = sizeof name + strlen(hex + 2);
    out = malloc(size);
    if (out != NULL)
        snprintf(out, size, "%s%s", name, hex + 2);
    explicit_bzero(hex, sizeof hex);
    return out;
}

static bool
check_macaroon(struct lightning *l, char *error, size_t error_len)
{
    char what[160];

    if (!macaroon_read(&l->macaroon, error, error_len))
        return false;
    if (l->config->admin_macaroon ||
        macaroon_is_modest(l->macaroon.bytes, l->macaroon.len, what,
                           sizeof what))
        return true;
    snprintf(error, error_len,
             "%s is not used: %s; bake one for invoices only "
             "(docs/lightning.md), or write lightning.admin_macaroon: true",
             l->config->macaroon_file, what);
    return false;
}

static void
start(struct lightning *l)
{
    uv_loop_t *loop = core_loop(l->core);
    struct rest_options options = {
        .url = l->config->lnd,
        .cert = l->config->cert_file,
        .header = make_header,
        .header_arg = l,
    };

    l->rest = rest_new(loop, &options);
    l->open = 5; /* rest and four timers */
    if (l->config->rate.fixed != 0 || l->config->rate.url != NULL) {
        l->rate = rate_new(loop, &l->config->rate);
        l->open++;
    }
    allowance_init(&l->allowance, l->config->peer_per_minute,
                   l->config->peer_burst);
    uv_timer_init(loop, &l->watch);
    uv_timer_init(loop, &l->again);
    uv_timer_init(loop, &l->sweep);
    uv_timer_init(loop, &l->hold);
    l->watch.data = l->again.data = l->sweep.data = l->hold.data = l;
    watch_start(l);
    sweep_start(l);
    hold_start(l);
}

struct lightning *
lightning_open(struct core *core, const struct config_lightning *config,
               struct ledger *ledger, char *error, size_t error_len)
{
    struct lightning *l = calloc(1, sizeof *l);

    if (l == NULL)
        abort();
    l->core = core;
    l->config = config;
    l->ledger = ledger;
    l->macaroon.path = config->macaroon_file;
    if (!check_macaroon(l, error, error_len) ||
        !secret_open(&l->secret, config->secret_file, error, error_len)) {
        lightning_free(l);
        return NULL;
    }
    start(l);
    return l;
}

/* -- closing -- */

static void
part_closed(void *arg)
{
    struct lightning *l = arg;

    if (--l->open == 0)
        l->closed(l->closed_arg);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

void
lightning_close(struct lightning *l, core_task closed, void *arg)
{
    l->closing = true;
    l->closed = closed;
    l->closed_arg = arg;
    stream_stop(l);
    rest_close(l->rest, part_closed, l);
    uv_close((uv_handle_t *)&l->watch, on_timer_closed);
    uv_close((uv_handle_t *)&l->again, on_timer_closed);
    uv_close((uv_handle_t *)&l->sweep, on_timer_closed);
    uv_close((uv_handle_t *)&l->hold, on_timer_closed);
    if (l->rate != NULL)
        rate_close(l->rate, part_closed, l);
}

void
lightning_free(struct lightning *l)
{
    if (l == NULL)
        return;
    issue_free_all(l);
    claim_free_all(l);
    explicit_bzero(&l->secret, sizeof l->secret);
    explicit_bzero(&l->macaroon, sizeof l->macaroon);
    free(l);
}

void
lightning_health(struct lightning *l, struct lightning_health *out)
{
    out->ready = l->ready;
    out->why = l->why;
    out->outstanding = ledger_invoices_outstanding(
        l->ledger, core_now_ms() / 1000, l->config->outstanding_max);
}
