/* SPDX-License-Identifier: Apache-2.0 */
/* Is the node there, unlocked, on our network, and up with the chain?  Asked
 * all the time, so that a request that wants an invoice need not find out. */
#include <stdio.h>
#include <string.h>

#include "../log.h"
#include "inside.h"

static void
set_state(struct lightning *l, bool ready, const char *why)
{
    if (l->ready == ready && strcmp(l->why, why) == 0)
        return;
    log_event(ready ? LOG_INFO : LOG_WARN,
              ready ? "lightning_ready" : "lightning_not_ready", "why", why,
              NULL);
    if (ready && !l->ready)
        sweep_everything(l);
    l->ready = ready;
    l->why = why;
    if (ready)
        stream_start(l);
}

void
watch_down(struct lightning *l, const char *why)
{
    set_state(l, false, why);
}

static void
on_info(void *arg, const struct rest_answer *answer)
{
    struct lightning *l = arg;
    struct lnd_info info;

    l->asking = false;
    if (l->closing)
        return;
    if (answer->http_status != 200 || answer->json == NULL)
        set_state(l, false, "LND does not answer");
    else if (!lnd_read_info(&info, answer->json))
        set_state(l, false, "LND's answer is not understood");
    else if (info.network != l->config->network)
        set_state(l, false, "LND is on another network than configured");
    else if (!info.synced)
        set_state(l, false, "LND is not synced to the chain");
    else {
        l->info = info;
        set_state(l, true, "");
    }
}

static void
on_state(void *arg, const struct rest_answer *answer)
{
    struct lightning *l = arg;

    if (l->closing) {
        l->asking = false;
        return;
    }
    if (answer->http_status == 200 && answer->json != NULL &&
        lnd_read_active(answer->json)) {
        rest_get(l->rest, "/v1/getinfo", l->config->timeout_ms, on_info, l);
        return;
    }
    l->asking = false;
    if (answer->http_status == 200 && answer->json != NULL)
        set_state(l, false, "LND is locked, or still starting");
    else
        set_state(l, false, "LND does not answer");
}

static void
on_timer(uv_timer_t *timer)
{
    struct lightning *l = timer->data;

    if (l->asking || l->closing)
        return;
    l->asking = true;
    rest_get(l->rest, "/v1/state", l->config->timeout_ms, on_state, l);
}

void
watch_start(struct lightning *l)
{
    l->why = "LND was not asked yet";
    uv_timer_start(&l->watch, on_timer, 0, LIGHTNING_WATCH_MS);
}
