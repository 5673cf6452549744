/* SPDX-License-Identifier: Apache-2.0 */
/* The bazaar extension of payments that come to /settle.
 *
 * "EXTENSION-RESPONSES: a base64-encoded JSON object keyed by extension name":
 * "processing" when what the payment says of its resource is good enough to be
 * listed, "rejected" with a reason otherwise. */
#include <stdio.h>
#include <string.h>

#include "../bazaar/bazaar.h"
#include "request.h"

static void
say(struct http_request *request, const char *status, const char *why)
{
    char text[EXTENSIONS_MAX / 4 * 3 - 3];
    struct x402_buf json = x402_buf_on(text, sizeof(text));
    struct x402_buf out =
        x402_buf_on(request->extensions, sizeof(request->extensions) - 1);

    x402_buf_text(&json, "{\"bazaar\":{\"status\":");
    x402_buf_json(&json, x402_span_of(status));
    if (*why != '\0') {
        x402_buf_text(&json, ",\"rejectedReason\":");
        x402_buf_json(&json, x402_span_of(why));
    }
    x402_buf_text(&json, "}}");
    if (json.full)
        return;
    x402_buf_base64(&out, (const uint8_t *)text, json.len);
    request->extensions[out.full ? 0 : out.len] = '\0';
}

void
http_offer_read(struct http_request *request)
{
    char why[100];

    if (request->http->bazaar == NULL)
        return;
    request->offer =
        bazaar_offer_read(request->http->bazaar, why, sizeof(why),
                          (struct x402_span){request->body, request->body_len},
                          &request->payment.payment);
    if (request->offer == NULL && why[0] != '\0')
        say(request, "rejected", why);
}

void
http_offer_settled(struct http_request *request)
{
    struct bazaar_offer *offer = request->offer;

    request->offer = NULL;
    if (offer == NULL)
        return;
    if (bazaar_settled(request->http->bazaar, offer))
        say(request, "processing", "");
    else
        say(request, "rejected", "too many at once; the next payment will do");
}
