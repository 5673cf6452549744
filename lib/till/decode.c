/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the till, read.  The peer is another program of ours, yet a frame
 * decides over money: nothing is taken that encode.c would not have written,
 * so that decoding and encoding again gives the same bytes. */
#include <string.h>

#include <x402/till.h>

#include "bytes.h"

enum {
    LENGTH_FIELD = 4,
    HEAD = 12, /* version, type, zero, id */
    DIALECTS_ALL =
        X402_TILL_LNBTC | X402_TILL_L402 | X402_TILL_MPP | X402_TILL_HELD,
    EXPIRY_MAX = 31536000, /* a year: what LND takes */
    WAIT_MAX = 3600000,
    DECIMALS_MAX = 77,
    FLAGS_ALL =
        X402_TILL_SETTLE_FIRST | X402_TILL_LOOK_UP | X402_TILL_SMART_WALLET,
};

/* The largest reserve and the largest hold fit a frame. */
_Static_assert(LENGTH_FIELD + HEAD + 2 + X402_TILL_HOLD_MAX * 16 <=
                   X402_TILL_FRAME_MAX,
               "a full HOLD fits a frame");
_Static_assert(LENGTH_FIELD + HEAD + 512 + X402_SIGNATURE_MAX + X402_URL_MAX <=
                   X402_TILL_FRAME_MAX,
               "a full RESERVE fits a frame");

_Static_assert(LENGTH_FIELD + HEAD + 256 + X402_TILL_BOLT11_MAX +
                       2 * X402_TILL_LINE_MAX <=
                   X402_TILL_FRAME_MAX,
               "a full ISSUED fits a frame");
_Static_assert(LENGTH_FIELD + HEAD + 512 + X402_TILL_TOKEN_MAX <=
                   X402_TILL_FRAME_MAX,
               "a full PROOF fits a frame");

static void
take_amount(struct till_take *take, struct x402_amount *out)
{
    const uint8_t *run = till_take_run(take, 32);

    if (run != NULL)
        x402_amount_from_be32(out, run);
}

static bool
take_bool(struct till_take *take)
{
    return till_take_upto(take, 1, 1) == 1;
}

static enum x402_err
take_err(struct till_take *take)
{
    return (enum x402_err)till_take_upto(take, 2, X402_ERR_COUNT - 1);
}

static void
take_hold(struct till_take *take, struct x402_till_hold *hold)
{
    hold->len = (size_t)till_take_upto(take, 2, X402_TILL_HOLD_MAX);
    for (size_t i = 0; i < hold->len; i++)
        till_take_bytes(take, hold->rid[i].byte, sizeof(hold->rid[i].byte));
}

static void
take_authorization(struct till_take *take, struct x402_authorization *auth)
{
    till_take_bytes(take, auth->from.byte, sizeof(auth->from.byte));
    till_take_bytes(take, auth->to.byte, sizeof(auth->to.byte));
    take_amount(take, &auth->value);
    auth->valid_after_s = till_take_uint(take, 8);
    auth->valid_before_s = till_take_uint(take, 8);
    till_take_bytes(take, auth->nonce, sizeof(auth->nonce));
}

/* Text for people and the ledger; a NUL inside would cut it short there. */
static void
take_text(struct till_take *take, char *out, size_t cap)
{
    size_t len = (size_t)till_take_upto(take, 2, cap - 1);
    const uint8_t *run = till_take_run(take, len);

    if (run == NULL)
        return;
    if (memchr(run, '\0', len) != NULL)
        take->bad = true;
    memcpy(out, run, len);
    out[len] = '\0';
}

static void
take_sponsor(struct till_take *take, struct x402_sponsor *sponsor)
{
    sponsor->kind =
        (enum x402_sponsor_kind)till_take_upto(take, 1, X402_SPONSOR_LAST);
    sponsor->len = (size_t)till_take_upto(take, 2, X402_SPONSOR_MAX);
    till_take_bytes(take, sponsor->data, sponsor->len);
    if (sponsor->len !=
        (sponsor->kind == X402_SPONSOR_NONE ? 0 : X402_SPONSOR_MAX))
        take->bad = true;
}

static void
take_reserve(struct till_take *take, struct x402_till_reserve *reserve)
{
    uint64_t wire;

    reserve->flags = (uint32_t)till_take_upto(take, 4, FLAGS_ALL);
    wire = till_take_upto(take, 1, X402_WIRE_SEED001);
    if (wire < X402_WIRE_V2)
        take->bad = true;
    reserve->wire = (enum x402_wire)wire;
    reserve->method =
        (enum x402_method)till_take_upto(take, 1, X402_METHOD_LAST);
    reserve->chain_id = till_take_uint(take, 8);
    till_take_bytes(take, reserve->asset.byte, sizeof(reserve->asset.byte));
    till_take_bytes(take, reserve->facilitator.byte,
                    sizeof(reserve->facilitator.byte));
    take_authorization(take, &reserve->auth);
    take_sponsor(take, &reserve->sponsor);
    till_take_bytes(take, reserve->fingerprint, sizeof(reserve->fingerprint));
    reserve->signature_len =
        (size_t)till_take_upto(take, 2, X402_SIGNATURE_MAX);
    till_take_bytes(take, reserve->signature, reserve->signature_len);
    if (reserve->signature_len == 0)
        take->bad = true;
    take_text(take, reserve->resource, sizeof(reserve->resource));
}

static enum x402_ln_network
take_ln_network(struct till_take *take)
{
    return (enum x402_ln_network)till_take_upto(take, 1, X402_LN_SIMNET);
}

static struct x402_msat
take_msat(struct till_take *take)
{
    struct x402_msat out = {0};

    if (x402_msat_of(&out, till_take_uint(take, 8)) != X402_OK)
        take->bad = true;
    return out;
}

static void
take_reserved(struct till_take *take, struct x402_till_reserved *reserved)
{
    reserved->err = take_err(take);
    till_take_bytes(take, reserved->rid.byte, sizeof(reserved->rid.byte));
    reserved->redeemed = take_bool(take);
    reserved->settled = take_bool(take);
    reserved->has_transaction = take_bool(take);
    till_take_bytes(take, reserved->transaction, sizeof(reserved->transaction));
    reserved->network = take_ln_network(take);
    reserved->amount = take_msat(take);
    if (take->bad)
        return;
    if (reserved->err != X402_OK &&
        !x402_all_zero(reserved->rid.byte, sizeof(reserved->rid.byte)))
        take->bad = true;
    if ((reserved->network != 0) != (reserved->amount.value != 0))
        take->bad = true;
    if (!reserved->has_transaction &&
        !x402_all_zero(reserved->transaction, sizeof(reserved->transaction)))
        take->bad = true;
}

static void
take_capture(struct till_take *take, struct x402_till_capture *capture)
{
    till_take_bytes(take, capture->rid.byte, sizeof(capture->rid.byte));
    capture->has_charge = take_bool(take);
    take_amount(take, &capture->charge);
    if (!take->bad && !capture->has_charge &&
        !x402_amount_is_zero(&capture->charge))
        take->bad = true;
}

static void
take_done(struct till_take *take, struct x402_till_done *done)
{
    uint64_t end;

    till_take_bytes(take, done->rid.byte, sizeof(done->rid.byte));
    end = till_take_upto(take, 1, X402_TILL_END_SERVER);
    if (end < X402_TILL_END_COMPLETE)
        take->bad = true;
    done->end = (enum x402_till_end)end;
}

static void
take_release(struct till_take *take, struct x402_till_release *release)
{
    till_take_bytes(take, release->rid.byte, sizeof(release->rid.byte));
    release->status = (uint16_t)till_take_upto(take, 2, X402_TILL_STATUS_MAX);
}

static void
take_issue(struct till_take *take, struct x402_till_issue *issue)
{
    uint64_t unit;

    till_take_bytes(take, issue->peer, sizeof(issue->peer));
    issue->dialects = (uint8_t)till_take_upto(take, 1, DIALECTS_ALL);
    unit = till_take_upto(take, 1, X402_TILL_TOKEN);
    if (issue->dialects == 0 || unit < X402_TILL_MILLISAT)
        take->bad = true;
    issue->unit = (enum x402_till_unit)unit;
    take_amount(take, &issue->price);
    issue->decimals = (uint8_t)till_take_upto(take, 1, DECIMALS_MAX);
    issue->expiry_s = (uint32_t)till_take_upto(take, 4, EXPIRY_MAX);
    till_take_bytes(take, issue->request_hash, sizeof(issue->request_hash));
    take_text(take, issue->realm, sizeof(issue->realm));
    take_text(take, issue->resource, sizeof(issue->resource));
}

/* What was refused carries nothing else. */
static void
take_issued(struct till_take *take, struct x402_till_issued *issued)
{
    issued->err = take_err(take);
    issued->wait_ms = (uint32_t)till_take_upto(take, 4, WAIT_MAX);
    issued->scope =
        (enum x402_till_scope)till_take_upto(take, 1, X402_TILL_SCOPE_ALL);
    issued->network = take_ln_network(take);
    issued->amount = take_msat(take);
    issued->expiry_s = (uint32_t)till_take_upto(take, 4, EXPIRY_MAX);
    till_take_bytes(take, issued->payee, sizeof(issued->payee));
    take_text(take, issued->bolt11, sizeof(issued->bolt11));
    take_text(take, issued->l402, sizeof(issued->l402));
    take_text(take, issued->mpp, sizeof(issued->mpp));
    if (take->bad)
        return;
    if ((issued->err == X402_OK) != (issued->bolt11[0] != '\0'))
        take->bad = true;
}

static void
take_proof(struct till_take *take, struct x402_till_proof *proof)
{
    uint64_t dialect = till_take_upto(take, 1, X402_TILL_HELD);

    if (dialect != X402_TILL_LNBTC && dialect != X402_TILL_L402 &&
        dialect != X402_TILL_MPP && dialect != X402_TILL_HELD)
        take->bad = true;
    proof->dialect = (enum x402_till_dialect)dialect;
    proof->has_preimage = take_bool(take);
    till_take_bytes(take, proof->preimage, sizeof(proof->preimage));
    till_take_bytes(take, proof->payment_hash, sizeof(proof->payment_hash));
    till_take_bytes(take, proof->request_hash, sizeof(proof->request_hash));
    proof->amount = take_msat(take);
    proof->token_len = (size_t)till_take_upto(take, 2, X402_TILL_TOKEN_MAX);
    till_take_bytes(take, proof->token, proof->token_len);
    take_text(take, proof->realm, sizeof(proof->realm));
}

static void
take_body(struct till_take *take, struct x402_till_frame *frame)
{
    switch (frame->type) {
    case X402_TILL_HELLO:
        till_take_bytes(take, frame->u.hello.worker,
                        sizeof(frame->u.hello.worker));
        return;
    case X402_TILL_HOLD:
        take_hold(take, &frame->u.hold);
        return;
    case X402_TILL_RESERVE:
        take_reserve(take, &frame->u.reserve);
        return;
    case X402_TILL_RESERVED:
        take_reserved(take, &frame->u.reserved);
        return;
    case X402_TILL_CAPTURE:
        take_capture(take, &frame->u.capture);
        return;
    case X402_TILL_RELEASE:
        take_release(take, &frame->u.release);
        return;
    case X402_TILL_STARTED:
        till_take_bytes(take, frame->u.rid.byte, sizeof(frame->u.rid.byte));
        return;
    case X402_TILL_DONE:
        take_done(take, &frame->u.done);
        return;
    case X402_TILL_ACK:
        frame->u.ack.err = take_err(take);
        return;
    case X402_TILL_ISSUE:
        take_issue(take, &frame->u.issue);
        return;
    case X402_TILL_ISSUED:
        take_issued(take, &frame->u.issued);
        return;
    case X402_TILL_PROOF:
        take_proof(take, &frame->u.proof);
        return;
    case X402_TILL_READY:
    case X402_TILL_PING:
    case X402_TILL_PONG:
        return;
    }
    take->bad = true;
}

/* Length, version, type and the zero are judged as soon as they are there: a
 * wrong one must not make us wait for bytes that never come. */
static enum x402_err
head_check(size_t *length, const uint8_t *bytes, size_t len)
{
    struct till_take take = {bytes, len, false};

    *length = 0;
    if (len < LENGTH_FIELD)
        return X402_OK;
    *length = (size_t)till_take_uint(&take, LENGTH_FIELD);
    if (*length < HEAD || *length > X402_TILL_FRAME_MAX - LENGTH_FIELD)
        return X402_ERR_SYNTAX;
    if (len >= 5 && bytes[4] != X402_TILL_VERSION)
        return X402_ERR_SYNTAX;
    if (len >= 6 && (bytes[5] < X402_TILL_HELLO || bytes[5] > X402_TILL_PROOF))
        return X402_ERR_SYNTAX;
    if (len >= 8 && (bytes[6] != 0 || bytes[7] != 0))
        return X402_ERR_SYNTAX;
    return X402_OK;
}

enum x402_err
x402_till_decode(struct x402_till_frame *out, size_t *used,
                 const uint8_t *bytes, size_t len)
{
    size_t length;
    enum x402_err err = head_check(&length, bytes, len);
    struct till_take take = {bytes, len, false};

    *used = 0;
    if (err != X402_OK)
        return err;
    if (len < LENGTH_FIELD || len - LENGTH_FIELD < length)
        return X402_OK;
    take = (struct till_take){bytes + LENGTH_FIELD + 4, length - 4, false};
    out->type = (enum x402_till_type)bytes[5];
    out->id = till_take_uint(&take, 8);
    take_body(&take, out);
    if (take.bad || take.left != 0)
        return X402_ERR_SYNTAX;
    *used = LENGTH_FIELD + length;
    return X402_OK;
}
