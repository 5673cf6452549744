/* SPDX-License-Identifier: Apache-2.0 */
/* See rate.h. */
#include "rate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core.h"
#include "../log.h"

#define RATE_DECIMALS 8
#define TIMEOUT_MS 5000
/* 1 BTC in millisatoshi */
#define MSAT_PER_BTC 100000000000u

struct rate {
    const struct config_rate *config;
    struct rest *rest; /* NULL: fixed */
    uv_timer_t timer;
    uint64_t value, read_ms;
    bool complained;
    bool asking;
    int open; /* parts that are not closed yet */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* -- pure -- */

enum x402_err
rate_convert(struct x402_msat *out, const struct x402_amount *price,
             unsigned decimals, uint64_t rate)
{
    __extension__ typedef unsigned __int128 wide;
    wide top, bottom = rate;
    uint64_t atomic;

    if (rate == 0 || decimals > 18 || !x402_amount_u64(&atomic, price) ||
        atomic == 0)
        return X402_ERR_RANGE;
    /* below 2^64 * 10^19 < 2^128, and 2^64 * 10^18 */
    top = (wide)atomic * MSAT_PER_BTC * RATE_UNIT;
    for (unsigned i = 0; i < decimals; i++)
        bottom *= 10;
    top = top / bottom + (top % bottom != 0);
    if (top > X402_MSAT_MAX)
        return X402_ERR_RANGE;
    return x402_msat_of(out, (uint64_t)top);
}

static const json_t *
walk(const json_t *json, const char *field)
{
    char name[64];

    while (json != NULL && *field != '\0') {
        size_t len = strcspn(field, ".");

        if (len == 0 || len >= sizeof name)
            return NULL;
        memcpy(name, field, len);
        name[len] = '\0';
        if (json_is_array(json))
            json = json_array_get(json, strtoul(name, NULL, 10));
        else
            json = json_object_get(json, name);
        field += len + (field[len] == '.');
    }
    return json;
}

/* A price per bitcoin has no use for more than a cent's cents; a JSON number
 * with a fraction goes by way of 8 digits. */
static bool
text_of(char out[64], const json_t *json)
{
    int len = -1;

    if (json_is_string(json))
        len = snprintf(out, 64, "%s", json_string_value(json));
    else if (json_is_integer(json))
        len = snprintf(out, 64, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json));
    else if (json_is_real(json))
        len = snprintf(out, 64, "%.8f", json_real_value(json));
    return len > 0 && len < 64;
}

bool
rate_read(uint64_t *out, const json_t *json, const char *field)
{
    struct x402_amount amount;
    char text[64];
    char *point;

    if (!text_of(text, walk(json, field)))
        return false;
    point = strchr(text, '.');
    if (point != NULL && strlen(point) > RATE_DECIMALS + 1)
        point[RATE_DECIMALS + 1] = '\0';
    return x402_amount_parse_decimal(&amount, x402_span_of(text),
                                     RATE_DECIMALS) == X402_OK &&
           x402_amount_u64(out, &amount) && *out > 0;
}

/* -- asking -- */

static void
on_answer(void *arg, const struct rest_answer *answer)
{
    struct rate *rate = arg;
    uint64_t value;

    rate->asking = false;
    if (answer->http_status == 200 && answer->json != NULL &&
        rate_read(&value, answer->json, rate->config->field)) {
        rate->value = value;
        rate->read_ms = core_now_ms();
        rate->complained = false;
        return;
    }
    if (!rate->complained)
        log_event(LOG_WARN, "rate_unreadable", "why",
                  answer->why[0] != '\0' ? answer->why : "no number there",
                  NULL);
    rate->complained = true;
}

static void
on_timer(uv_timer_t *timer)
{
    struct rate *rate = timer->data;

    if (rate->asking)
        return;
    rate->asking = true;
    rest_get(rate->rest, "", TIMEOUT_MS, on_answer, rate);
}

uint64_t
rate_now(const struct rate *rate)
{
    uint64_t now_ms = core_now_ms();

    if (rate->rest == NULL)
        return rate->config->fixed;
    /* read in the future: the clock was set back, and the age is unknown */
    if (rate->value == 0 || rate->read_ms > now_ms ||
        now_ms - rate->read_ms > (uint64_t)rate->config->max_age_s * 1000)
        return 0;
    return rate->value;
}

struct rate *
rate_new(uv_loop_t *loop, const struct config_rate *config)
{
    struct rate *rate = calloc(1, sizeof *rate);
    struct rest_options options = {.url = config->url};

    if (rate == NULL)
        abort();
    rate->config = config;
    uv_timer_init(loop, &rate->timer);
    rate->timer.data = rate;
    rate->open = 1;
    if (config->url == NULL)
        return rate;
    rate->rest = rest_new(loop, &options);
    rate->open = 2;
    uv_timer_start(&rate->timer, on_timer, 0, (uint64_t)config->every_s * 1000);
    return rate;
}

static void
part_closed(void *arg)
{
    struct rate *rate = arg;

    if (--rate->open > 0)
        return;
    rate->closed(rate->closed_arg);
    free(rate);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

void
rate_close(struct rate *rate, void (*closed)(void *arg), void *arg)
{
    rate->closed = closed;
    rate->closed_arg = arg;
    uv_close((uv_handle_t *)&rate->timer, on_timer_closed);
    if (rate->rest != NULL)
        rest_close(rate->rest, part_closed, rate);
}
