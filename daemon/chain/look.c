/* SPDX-License-Identifier: Apache-2.0 */
/* See look.h.  Order of the inner calls: block number, block time, one
 * balanceOf for each payer and token, one authorizationState for each payment
 * (with Permit2 its nonceBitmap and the token's allowance), then the transfers.
 */
#include "look.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <x402/span.h>

#include "../failpoint.h"

#define CALLS_MAX (2 + 4 * LOOK_MAX)

/* -- who is whose balance -- */

static bool
same_account(const struct look_payment *a, const struct look_payment *b)
{
    return x402_address_eq(&a->auth->from, &b->auth->from) &&
           x402_address_eq(a->asset, b->asset);
}

/* account[i]: the number of payment i's payer and token, in order of first
 * appearance.  Returns how many there are. */
static size_t
number_accounts(size_t account[static LOOK_MAX],
                const struct look_payment *payments, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        while (k < i && !same_account(&payments[k], &payments[i]))
            k++;
        account[i] = k < i ? account[k] : count++;
    }
    return count;
}

static bool
by_permit2(const struct look_payment *payment)
{
    return payment->method != X402_METHOD_EIP3009;
}

/* -- encode -- */

const struct x402_address *
look_target(const struct look_payment *payment)
{
    return x402_method_target(payment->method, payment->asset);
}

size_t
look_calldata(uint8_t *out, const struct look_payment *payment)
{
    struct x402_abi_permit2 call = {
        .method = payment->method,
        .token = payment->asset,
        .auth = payment->auth,
        .charge = payment->charge,
        .facilitator = payment->facilitator,
        .sponsor = payment->sponsor,
        .signature = payment->signature,
        .signature_len = payment->signature_len,
    };

    if (mutant("upto_takes_all"))
        call.charge = &payment->auth->value;
    if (by_permit2(payment))
        return x402_abi_settle(out, &call);
    return x402_abi_transfer(out, payment->auth, payment->signature,
                             payment->signature_len);
}

struct builder {
    struct x402_abi_call calls[CALLS_MAX];
    size_t len;
    uint8_t *data; /* the calls' data, one after the other */
    size_t used;
};

static void
add(struct builder *b, const struct x402_address *target, size_t data_len)
{
    b->calls[b->len++] = (struct x402_abi_call){
        .target = *target,
        .allow_failure = true,
        .data = b->data + b->used,
        .data_len = data_len,
    };
    b->used += data_len;
}

static size_t
data_cap(const struct look_payment *payments, size_t n)
{
    size_t cap = 8;

    for (size_t i = 0; i < n; i++)
        cap += 36 + 2 * 68 + LOOK_CALL_MAX - X402_SIGNATURE_MAX + 96 +
               (payments[i].signature_len > 65 ? payments[i].signature_len : 0);
    return cap;
}

static struct x402_address
multicall3(void)
{
    struct x402_address address;

    if (x402_address_parse(&address, x402_span_of(X402_MULTICALL3)) != X402_OK)
        abort();
    return address;
}

/* "block.number: Value: An estimate of the L1 block number at which the
 * Sequencer received the transaction" (Arbitrum).  Its own number, the one in
 * receipts, comes from ArbSys.arbBlockNumber(). */
static size_t
block_number_call(uint8_t out[4], struct x402_address *target,
                  uint64_t chain_id)
{
    static const uint8_t arb_block_number[4] = {0xa3, 0xb1, 0xb3, 0x1d};

    if (chain_id != 42161 && chain_id != 42170 && chain_id != 421614)
        return x402_abi_block_number(out);
    memset(target, 0, sizeof *target);
    target->byte[19] = 0x64;
    memcpy(out, arb_block_number, 4);
    return 4;
}

static void
add_block(struct builder *b, uint64_t chain_id)
{
    struct x402_address target = multicall3();

    add(b, &target, x402_abi_block_timestamp(b->data + b->used));
    add(b, &target, block_number_call(b->data + b->used, &target, chain_id));
}

static void
add_state(struct builder *b, const struct look_payment *payment)
{
    const struct x402_authorization *auth = payment->auth;

    if (!by_permit2(payment)) {
        add(b, payment->asset,
            x402_abi_authorization_state(b->data + b->used, &auth->from,
                                         auth->nonce));
        return;
    }
    add(b, &x402_permit2_contract,
        x402_abi_nonce_bitmap(b->data + b->used, &auth->from, auth->nonce));
    add(b, payment->asset, x402_abi_allowance(b->data + b->used, &auth->from));
}

static void
add_reads(struct builder *b, const struct look_payment *payments, size_t n)
{
    size_t account[LOOK_MAX];
    size_t next = 0;

    (void)number_accounts(account, payments, n);
    for (size_t i = 0; i < n; i++) {
        if (account[i] != next)
            continue;
        next++;
        add(b, payments[i].asset,
            x402_abi_balance_of(b->data + b->used, &payments[i].auth->from));
    }
    for (size_t i = 0; i < n; i++)
        add_state(b, &payments[i]);
}

static bool
is_tried(const struct look_payment *payment, bool transfers)
{
    return transfers && !payment->shown;
}

uint8_t *
look_encode(size_t *len, uint64_t chain_id, const struct look_payment *payments,
            size_t n, bool transfers)
{
    struct builder *b = calloc(1, sizeof *b);
    uint8_t *out;

    if (b == NULL || n > LOOK_MAX ||
        (b->data = malloc(data_cap(payments, n))) == NULL)
        abort();
    add_block(b, chain_id);
    add_reads(b, payments, n);
    for (size_t i = 0; i < n; i++) {
        if (is_tried(&payments[i], transfers))
            add(b, look_target(&payments[i]),
                look_calldata(b->data + b->used, &payments[i]));
    }
    out = malloc(x402_abi_aggregate3_len(b->calls, b->len));
    if (out == NULL)
        abort();
    *len = x402_abi_aggregate3(out, b->calls, b->len);
    free(b->data);
    free(b);
    return out;
}

/* -- decode -- */

static bool
read_u64(uint64_t *out, const struct x402_abi_result *result)
{
    struct x402_amount amount;

    if (!result->success || result->data_len != 32)
        return false;
    x402_amount_from_be32(&amount, result->data);
    return x402_amount_u64(out, &amount);
}

/* An address without code "succeeds" with nothing; a token says 0 or 1. */
static bool
read_state(bool *used, const struct x402_abi_result *result)
{
    uint64_t value;

    if (!read_u64(&value, result) || value > 1)
        return false;
    *used = value == 1;
    return true;
}

/* How many results the state of one payment takes. */
static size_t
states_of(const struct look_payment *payment)
{
    return by_permit2(payment) ? 2 : 1;
}

static bool
read_balance(struct x402_amount *out, const struct x402_abi_result *result)
{
    if (!result->success || result->data_len != 32)
        return false;
    x402_amount_from_be32(out, result->data);
    return true;
}

/* Permit2's errors: InvalidSignature(), InvalidSignatureLength(),
 * InvalidSigner(), InvalidContractSignature(). */
static bool
is_permit2_error(const uint8_t *revert, size_t len)
{
    static const char selectors[][5] = {"\x8b\xaa\x57\x9f", "\x4b\xe6\x32\x1b",
                                        "\x81\x5e\x1d\x64", "\xb0\x66\x9c\xbc"};

    for (size_t i = 0; len == 4 && i < 4; i++) {
        if (memcmp(revert, selectors[i], 4) == 0)
            return true;
    }
    return false;
}

bool
look_bad_signature(const uint8_t *revert, size_t len)
{
    static const char word[] = "signature";
    struct x402_span text = x402_abi_revert_text(revert, len);

    if (is_permit2_error(revert, len))
        return true;

    for (size_t i = 0; i + sizeof word - 1 <= text.len; i++) {
        if (strncasecmp(text.at + i, word, sizeof word - 1) == 0)
            return true;
    }
    return false;
}

static void
read_transfer(struct look_seen *seen, const struct x402_abi_result *result)
{
    seen->tried = true;
    seen->moved = result->success;
    if (!result->success)
        seen->bad_signature =
            look_bad_signature(result->data, result->data_len);
}

static bool
read_payment(struct look_seen *seen, const struct look_payment *payment,
             const struct x402_abi_result *state)
{
    if (!by_permit2(payment))
        return read_state(&seen->used, state);
    if (!state->success || state->data_len != 32)
        return false;
    seen->used = x402_abi_nonce_bit(state->data, payment->auth->nonce);
    return read_balance(&seen->allowance, state + 1);
}

bool
look_decode(struct look_seen *seen, struct look_block *block,
            const struct look_payment *payments, size_t n, bool transfers,
            const uint8_t *answer, size_t answer_len)
{
    struct x402_abi_result results[CALLS_MAX];
    size_t account[LOOK_MAX], members[LOOK_MAX] = {0};
    size_t accounts = number_accounts(account, payments, n);
    size_t total = 2 + accounts;
    const struct x402_abi_result *balances = results + 2,
                                 *state = balances + accounts, *move;

    for (size_t i = 0; i < n; i++)
        total += states_of(&payments[i]);
    move = results + total;
    for (size_t i = 0; i < n; i++)
        total += is_tried(&payments[i], transfers);
    if (x402_abi_aggregate3_decode(results, total, answer, answer_len) !=
            X402_OK ||
        !read_u64(&block->time_s, &results[0]) ||
        !read_u64(&block->number, &results[1]))
        return false;
    for (size_t i = 0; i < n; i++)
        members[account[i]]++;
    for (size_t i = 0; i < n; i++) {
        seen[i] = (struct look_seen){.shared = members[account[i]] > 1};
        seen[i].token = read_balance(&seen[i].balance, &balances[account[i]]) &&
                        read_payment(&seen[i], &payments[i], state);
        state += states_of(&payments[i]);
        if (is_tried(&payments[i], transfers))
            read_transfer(&seen[i], move++);
    }
    return true;
}

/* -- judge -- */

const struct x402_sponsor *
look_sponsor(const struct x402_sponsor *sponsor)
{
    return sponsor->kind == X402_SPONSOR_EIP2612 ? sponsor : NULL;
}

static const struct x402_amount *
amount_of(const struct look_payment *payment)
{
    return payment->method == X402_METHOD_PERMIT2_UPTO ? payment->charge
                                                       : &payment->auth->value;
}

/* The order of the official facilitator's diagnosis, time before the rest.  A
 * token that lets a used authorization through, or moves more than there is,
 * is not believed either. */
enum x402_err
look_judge(const struct look_seen *seen, const struct look_payment *payment,
           uint64_t time_s)
{
    const struct x402_authorization *auth = payment->auth;
    const struct x402_amount *amount = amount_of(payment);

    if (!seen->token)
        return X402_ERR_ASSET;
    if (seen->used)
        return X402_ERR_NONCE_USED;
    if (x402_amount_cmp(&seen->balance, amount) < 0)
        return X402_ERR_FUNDS;
    if (by_permit2(payment) && payment->sponsor == NULL &&
        x402_amount_cmp(&seen->allowance, amount) < 0)
        return X402_ERR_ALLOWANCE;
    if (time_s <= auth->valid_after_s)
        return X402_ERR_NOT_YET_VALID;
    if (time_s >= auth->valid_before_s)
        return X402_ERR_EXPIRED;
    if (seen->moved || !seen->tried)
        return X402_OK;
    if (seen->not_deployed)
        return X402_ERR_DEPLOYMENT;
    return seen->bad_signature ? X402_ERR_SIGNATURE : X402_ERR_SIMULATION;
}
