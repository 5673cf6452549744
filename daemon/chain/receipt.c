/* SPDX-License-Identifier: Apache-2.0 */
/* See receipt.h.
 *
 * A payment is proven by two logs of its token, one right after the other:
 * AuthorizationUsed(payer, nonce) and Transfer(payer, payee, value).  EIP-3009
 * tokens mark the authorization as used and then move the money, so the next
 * log of the same token is the transfer that the authorization bought.  Looking
 * for any Transfer of the right size instead would let one transfer prove two
 * payments: a payer can sign one nonce twice, spend it on himself, and point at
 * the transfer of another, equal payment in the same transaction. */
#include "receipt.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>

#include "quantity.h"

struct log {
    struct x402_address token;
    uint8_t topic[4][32];
    size_t topics;
    uint8_t data[32];
    bool has_word; /* data is one word */
};

/* -- one log -- */

static bool
read_topics(struct log *out, const json_t *topics)
{
    out->topics = json_array_size(topics);
    if (!json_is_array(topics) || out->topics > 4)
        return false;
    for (size_t i = 0; i < out->topics; i++) {
        if (!quantity_bytes(out->topic[i], 32, json_array_get(topics, i)))
            return false;
    }
    return true;
}

static bool
read_log(struct log *out, const json_t *log, const struct receipt *receipt)
{
    const json_t *removed = json_object_get(log, "removed");
    uint8_t hash[32];

    if (!quantity_address(&out->token, json_object_get(log, "address")) ||
        !read_topics(out, json_object_get(log, "topics")) ||
        json_is_true(removed))
        return false;
    /* a log of another transaction or block has no place in this receipt */
    if (!quantity_bytes(hash, 32, json_object_get(log, "transactionHash")) ||
        memcmp(hash, receipt->tx_hash, 32) != 0)
        return false;
    if (!quantity_bytes(hash, 32, json_object_get(log, "blockHash")) ||
        memcmp(hash, receipt->block_hash, 32) != 0)
        return false;
    out->has_word = quantity_bytes(out->data, 32, json_object_get(log, "data"));
    return true;
}

static bool
is_address_topic(struct x402_address *out, const uint8_t topic[32])
{
    static const uint8_t zero[12];

    if (memcmp(topic, zero, 12) != 0)
        return false;
    memcpy(out->byte, topic + 12, 20);
    return true;
}

/* -- all logs -- */

static bool
begins_use(struct receipt_use *use, const struct log *log)
{
    memset(use, 0, sizeof *use);
    if (log->topics != 3 ||
        memcmp(log->topic[0], x402_abi_topic_authorization_used, 32) != 0 ||
        !is_address_topic(&use->payer, log->topic[1]))
        return false;
    use->token = log->token;
    memcpy(use->nonce, log->topic[2], 32);
    return true;
}

static void
end_use(struct receipt_use *use, const struct log *log)
{
    struct x402_address from;

    if (log->topics != 3 || !log->has_word ||
        memcmp(log->topic[0], x402_abi_topic_transfer, 32) != 0 ||
        !is_address_topic(&from, log->topic[1]) ||
        !is_address_topic(&use->payee, log->topic[2]) ||
        !x402_address_eq(&from, &use->payer))
        return;
    x402_amount_from_be32(&use->value, log->data);
    use->moved = true;
}

/* The newest use of this token that still waits for its transfer. */
static struct receipt_use *
open_use(struct receipt_use *uses, const bool *open, size_t len,
         const struct x402_address *token)
{
    for (size_t i = len; i-- > 0;) {
        if (x402_address_eq(&uses[i].token, token))
            return open[i] ? &uses[i] : NULL;
    }
    return NULL;
}

static bool
read_logs(struct receipt *out, const json_t *logs)
{
    size_t n = json_array_size(logs);
    bool *open;
    bool good = true;

    if (!json_is_array(logs) || n > RECEIPT_LOGS_MAX)
        return false;
    out->uses = calloc(n + 1, sizeof *out->uses);
    open = calloc(n + 1, sizeof *open);
    if (out->uses == NULL || open == NULL)
        abort();
    for (size_t i = 0; i < n && good; i++) {
        struct receipt_use *use;
        struct log log;

        good = read_log(&log, json_array_get(logs, i), out);
        if (!good)
            break;
        use = open_use(out->uses, open, out->uses_len, &log.token);
        if (use != NULL) {
            end_use(use, &log);
            open[use - out->uses] = false;
        }
        if (begins_use(&out->uses[out->uses_len], &log))
            open[out->uses_len++] = true;
    }
    free(open);
    return good;
}

enum receipt_read
receipt_read(struct receipt *out, const json_t *result,
             const uint8_t tx_hash[32])
{
    uint64_t status;

    memset(out, 0, sizeof *out);
    if (json_is_null(result))
        return RECEIPT_NONE;
    if (!quantity_bytes(out->tx_hash, 32,
                        json_object_get(result, "transactionHash")) ||
        memcmp(out->tx_hash, tx_hash, 32) != 0 ||
        !quantity_u64(&status, json_object_get(result, "status")) ||
        status > 1 ||
        !quantity_u64(&out->block_number,
                      json_object_get(result, "blockNumber")) ||
        !quantity_bytes(out->block_hash, 32,
                        json_object_get(result, "blockHash")))
        return RECEIPT_BAD;
    out->success = status == 1;
    if (!read_logs(out, json_object_get(result, "logs"))) {
        receipt_free(out);
        return RECEIPT_BAD;
    }
    return RECEIPT_READ;
}

void
receipt_free(struct receipt *receipt)
{
    free(receipt->uses);
    receipt->uses = NULL;
    receipt->uses_len = 0;
}

/* -- claims -- */

static const struct receipt_use *
find_use(const struct receipt *receipt, const struct receipt_claim *claim)
{
    for (size_t i = 0; i < receipt->uses_len; i++) {
        const struct receipt_use *use = &receipt->uses[i];

        if (x402_address_eq(&use->token, claim->token) &&
            x402_address_eq(&use->payer, claim->payer) &&
            memcmp(use->nonce, claim->nonce, 32) == 0)
            return use;
    }
    return NULL;
}

bool
receipt_used(const struct receipt *receipt, const struct receipt_claim *claim)
{
    return receipt->success && find_use(receipt, claim) != NULL;
}

bool
receipt_paid(const struct receipt *receipt, const struct receipt_claim *claim)
{
    const struct receipt_use *use = find_use(receipt, claim);

    return receipt->success && use != NULL && use->moved &&
           x402_address_eq(&use->payee, claim->payee) &&
           x402_amount_cmp(&use->value, claim->value) == 0;
}
