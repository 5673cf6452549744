/* SPDX-License-Identifier: Apache-2.0 */
/* One invoice, asked for by its payment hash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>

#include "inside.h"

struct look {
    uint8_t payment_hash[32];
    lookup_cb cb;
    void *arg;
};

static void
on_answer(void *arg, const struct rest_answer *answer)
{
    struct look *look = arg;
    struct lnd_invoice invoice = {.state = LND_UNKNOWN};
    bool gone = false;

    if (answer->http_status == 200 && answer->json != NULL) {
        (void)lnd_read_invoice(&invoice, answer->json);
        if (memcmp(invoice.payment_hash, look->payment_hash, 32) != 0)
            invoice.state = LND_UNKNOWN;
    } else if (answer->http_status == 404 && answer->json != NULL) {
        /* gRPC's NOT_FOUND, and not some other server's page */
        gone = json_integer_value(json_object_get(answer->json, "code")) == 5;
    }
    look->cb(look->arg, &invoice, gone);
    free(look);
}

void
lookup(struct lightning *l, const uint8_t payment_hash[32], lookup_cb cb,
       void *arg)
{
    struct look *look = calloc(1, sizeof *look);
    char path[sizeof "/v1/invoice/" + 67], hex[67];

    if (look == NULL)
        abort();
    memcpy(look->payment_hash, payment_hash, sizeof look->payment_hash);
    look->cb = cb;
    look->arg = arg;
    x402_hex_encode(hex, payment_hash, 32);
    snprintf(path, sizeof path, "/v1/invoice/%s", hex + 2);
    rest_get(l->rest, path, l->config->timeout_ms, on_answer, look);
}
