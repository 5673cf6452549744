/* SPDX-License-Identifier: Apache-2.0 */
/* GET /supported: what can be settled here, now.  A network that could not
 * settle is left out: a seller must not promise what we cannot keep. */
#include "request.h"

#include "../chain/chain.h"

/** A network of the configuration that can settle; NULL otherwise. */
static const struct chain_health *
working(const struct http *http, size_t i)
{
    const struct config_network *network = &http->config->network[i];
    struct chain *chain =
        cashier_chain(http->cashier, network->network->chain_id);
    const struct chain_health *health =
        chain != NULL ? chain_health(chain) : NULL;

    return health != NULL && health->can_settle ? health : NULL;
}

/** Is the method's contract on this working network? */
static bool
knows(const struct http *http, size_t i, enum x402_method method)
{
    const struct x402_network *network = http->config->network[i].network;

    return chain_knows(cashier_chain(http->cashier, network->chain_id), method);
}

static void
add_kind(struct x402_buf *out, bool *any, int version, const char *scheme,
         const char *network)
{
    if (*any)
        x402_buf_char(out, ',');
    *any = true;
    x402_buf_text(out, "{\"x402Version\":");
    x402_buf_u64(out, (uint64_t)version);
    x402_buf_text(out, ",\"scheme\":");
    x402_buf_json(out, x402_span_of(scheme));
    x402_buf_text(out, ",\"network\":");
    x402_buf_json(out, x402_span_of(network));
}

/** "The facilitator announces its address via the /supported endpoint in the
 * extra field." */
static void
add_upto(struct x402_buf *out, bool *any, const char *network,
         const struct chain_health *health)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, &health->signer[0]);
    add_kind(out, any, 2, "upto", network);
    x402_buf_text(out, ",\"extra\":{\"facilitatorAddress\":");
    x402_buf_json(out, x402_span_of(text));
    x402_buf_text(out, "}}");
}

static void
add_kinds(struct x402_buf *out, const struct http *http)
{
    bool any = false;

    for (size_t i = 0; i < http->config->network_len; i++) {
        const struct x402_network *network = http->config->network[i].network;

        if (working(http, i) == NULL)
            continue;
        add_kind(out, &any, 2, "exact", network->caip2);
        x402_buf_char(out, '}');
        /* whom another facilitator would settle for, it says itself */
        if (knows(http, i, X402_METHOD_PERMIT2_UPTO) &&
            working(http, i)->signer_len > 0)
            add_upto(out, &any, network->caip2, working(http, i));
        if (network->v1_name == NULL)
            continue;
        add_kind(out, &any, 1, "exact", network->v1_name);
        x402_buf_char(out, '}');
    }
}

static void
add_name(struct x402_buf *out, bool *any, const char *name)
{
    if (*any)
        x402_buf_char(out, ',');
    *any = true;
    x402_buf_json(out, x402_span_of(name));
}

static void
add_extensions(struct x402_buf *out, const struct http *http)
{
    bool permit2 = false, any = false;

    for (size_t i = 0; i < http->config->network_len && !permit2; i++)
        permit2 = working(http, i) != NULL &&
                  knows(http, i, X402_METHOD_PERMIT2_EXACT);
    if (http->verifier != NULL)
        add_name(out, &any, "verification-attestation");
    if (permit2) {
        add_name(out, &any, "eip2612GasSponsoring");
        add_name(out, &any, "erc20ApprovalGasSponsoring");
    }
    if (http->bazaar != NULL)
        add_name(out, &any, "bazaar");
}

/** Has an earlier network the same signer? */
static bool
is_repeated(const struct http *http, size_t before,
            const struct x402_address *signer)
{
    for (size_t i = 0; i < before; i++) {
        const struct chain_health *health = working(http, i);

        for (size_t k = 0; health != NULL && k < health->signer_len; k++) {
            if (x402_address_eq(&health->signer[k], signer))
                return true;
        }
    }
    return false;
}

static void
add_signers(struct x402_buf *out, const struct http *http)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];
    bool any = false;

    for (size_t i = 0; i < http->config->network_len; i++) {
        const struct chain_health *health = working(http, i);

        for (size_t k = 0; health != NULL && k < health->signer_len; k++) {
            if (is_repeated(http, i, &health->signer[k]))
                continue;
            if (any)
                x402_buf_char(out, ',');
            any = true;
            x402_address_format(text, &health->signer[k]);
            x402_buf_json(out, x402_span_of(text));
        }
    }
}

static void
fill(struct http_request *request)
{
    struct x402_buf *out = &request->out;

    x402_buf_text(out, "{\"kinds\":[");
    add_kinds(out, request->http);
    x402_buf_text(out, "],\"extensions\":[");
    add_extensions(out, request->http);
    x402_buf_text(out, "],\"signers\":{\"eip155:*\":[");
    add_signers(out, request->http);
    x402_buf_text(out, "]}}");
    request->status = MHD_HTTP_OK;
    http_answer(request);
}

enum http_next
http_supported(struct http_request *request)
{
    return http_to_core(request, fill);
}
