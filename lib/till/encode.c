/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the till, written.  Every frame has exactly one encoding: fields
 * that mean nothing in a frame (the reservation id of a refusal, an absent
 * transaction) are written as zeros, whatever the caller left in them. */
#include <string.h>

#include <x402/till.h>

#include "bytes.h"

static void
put_amount(struct till_put *put, const struct x402_amount *amount)
{
    uint8_t be[32];

    x402_amount_to_be32(be, amount);
    till_put_bytes(put, be, sizeof(be));
}

static void
put_string(struct till_put *put, const uint8_t *bytes, size_t len)
{
    till_put_uint(put, len, 2);
    till_put_bytes(put, bytes, len);
}

static void
put_hold(struct till_put *put, const struct x402_till_hold *hold)
{
    if (hold->len > X402_TILL_HOLD_MAX) {
        put->full = true;
        return;
    }
    till_put_uint(put, hold->len, 2);
    for (size_t i = 0; i < hold->len; i++)
        till_put_bytes(put, hold->rid[i].byte, sizeof(hold->rid[i].byte));
}

static void
put_authorization(struct till_put *put, const struct x402_authorization *auth)
{
    till_put_bytes(put, auth->from.byte, sizeof(auth->from.byte));
    till_put_bytes(put, auth->to.byte, sizeof(auth->to.byte));
    put_amount(put, &auth->value);
    till_put_uint(put, auth->valid_after_s, 8);
    till_put_uint(put, auth->valid_before_s, 8);
    till_put_bytes(put, auth->nonce, sizeof(auth->nonce));
}

static void
put_sponsor(struct till_put *put, const struct x402_sponsor *sponsor)
{
    if (sponsor->len > sizeof(sponsor->data)) {
        put->full = true;
        return;
    }
    till_put_uint(put, (uint64_t)sponsor->kind, 1);
    put_string(put, sponsor->data, sponsor->len);
}

static void
put_capture(struct till_put *put, const struct x402_till_capture *capture)
{
    static const struct x402_amount nothing;

    till_put_bytes(put, capture->rid.byte, sizeof(capture->rid.byte));
    till_put_uint(put, capture->has_charge, 1);
    put_amount(put, capture->has_charge ? &capture->charge : &nothing);
}

static void
put_reserve(struct till_put *put, const struct x402_till_reserve *reserve)
{
    size_t resource_len = strnlen(reserve->resource, sizeof(reserve->resource));

    if (reserve->signature_len > sizeof(reserve->signature) ||
        resource_len == sizeof(reserve->resource)) {
        put->full = true;
        return;
    }
    till_put_uint(put, reserve->flags, 4);
    till_put_uint(put, (uint64_t)reserve->wire, 1);
    till_put_uint(put, (uint64_t)reserve->method, 1);
    till_put_uint(put, reserve->chain_id, 8);
    till_put_bytes(put, reserve->asset.byte, sizeof(reserve->asset.byte));
    till_put_bytes(put, reserve->facilitator.byte,
                   sizeof(reserve->facilitator.byte));
    put_authorization(put, &reserve->auth);
    put_sponsor(put, &reserve->sponsor);
    till_put_bytes(put, reserve->fingerprint, sizeof(reserve->fingerprint));
    put_string(put, reserve->signature, reserve->signature_len);
    put_string(put, (const uint8_t *)reserve->resource, resource_len);
}

static void
put_reserved(struct till_put *put, const struct x402_till_reserved *reserved)
{
    static const uint8_t zero[32];
    bool ok = reserved->err == X402_OK;
    bool tx = reserved->has_transaction;

    till_put_uint(put, (uint64_t)reserved->err, 2);
    till_put_bytes(put, ok ? reserved->rid.byte : zero,
                   sizeof(reserved->rid.byte));
    till_put_uint(put, reserved->redeemed, 1);
    till_put_uint(put, reserved->settled, 1);
    till_put_uint(put, tx, 1);
    till_put_bytes(put, tx ? reserved->transaction : zero,
                   sizeof(reserved->transaction));
    till_put_uint(put, (uint64_t)reserved->network, 1);
    till_put_uint(put, reserved->network != 0 ? reserved->amount.value : 0, 8);
}

static void
put_done(struct till_put *put, const struct x402_till_done *done)
{
    till_put_bytes(put, done->rid.byte, sizeof(done->rid.byte));
    till_put_uint(put, (uint64_t)done->end, 1);
}

/* Text that fills its array has no NUL: it does not fit. */
static void
put_text(struct till_put *put, const char *text, size_t cap)
{
    size_t len = strnlen(text, cap);

    if (len == cap)
        put->full = true;
    else
        put_string(put, (const uint8_t *)text, len);
}

static void
put_issue(struct till_put *put, const struct x402_till_issue *issue)
{
    till_put_bytes(put, issue->peer, sizeof(issue->peer));
    till_put_uint(put, issue->dialects, 1);
    till_put_uint(put, (uint64_t)issue->unit, 1);
    put_amount(put, &issue->price);
    till_put_uint(put, issue->decimals, 1);
    till_put_uint(put, issue->expiry_s, 4);
    till_put_bytes(put, issue->request_hash, sizeof(issue->request_hash));
    put_text(put, issue->realm, sizeof(issue->realm));
    put_text(put, issue->resource, sizeof(issue->resource));
}

static void
put_issued(struct till_put *put, const struct x402_till_issued *issued)
{
    till_put_uint(put, (uint64_t)issued->err, 2);
    till_put_uint(put, issued->wait_ms, 4);
    till_put_uint(put, (uint64_t)issued->scope, 1);
    till_put_uint(put, (uint64_t)issued->network, 1);
    till_put_uint(put, issued->amount.value, 8);
    till_put_uint(put, issued->expiry_s, 4);
    till_put_bytes(put, issued->payee, sizeof(issued->payee));
    put_text(put, issued->bolt11, sizeof(issued->bolt11));
    put_text(put, issued->l402, sizeof(issued->l402));
    put_text(put, issued->mpp, sizeof(issued->mpp));
}

static void
put_proof(struct till_put *put, const struct x402_till_proof *proof)
{
    if (proof->token_len > sizeof(proof->token)) {
        put->full = true;
        return;
    }
    till_put_uint(put, (uint64_t)proof->dialect, 1);
    till_put_uint(put, proof->has_preimage, 1);
    till_put_bytes(put, proof->preimage, sizeof(proof->preimage));
    till_put_bytes(put, proof->payment_hash, sizeof(proof->payment_hash));
    till_put_bytes(put, proof->request_hash, sizeof(proof->request_hash));
    till_put_uint(put, proof->amount.value, 8);
    put_string(put, proof->token, proof->token_len);
    put_text(put, proof->realm, sizeof(proof->realm));
}

static void
put_body(struct till_put *put, const struct x402_till_frame *frame)
{
    switch (frame->type) {
    case X402_TILL_HELLO:
        till_put_bytes(put, frame->u.hello.worker,
                       sizeof(frame->u.hello.worker));
        return;
    case X402_TILL_HOLD:
        put_hold(put, &frame->u.hold);
        return;
    case X402_TILL_RESERVE:
        put_reserve(put, &frame->u.reserve);
        return;
    case X402_TILL_RESERVED:
        put_reserved(put, &frame->u.reserved);
        return;
    case X402_TILL_CAPTURE:
        put_capture(put, &frame->u.capture);
        return;
    case X402_TILL_RELEASE:
        till_put_bytes(put, frame->u.release.rid.byte,
                       sizeof(frame->u.release.rid.byte));
        till_put_uint(put, frame->u.release.status, 2);
        return;
    case X402_TILL_STARTED:
        till_put_bytes(put, frame->u.rid.byte, sizeof(frame->u.rid.byte));
        return;
    case X402_TILL_DONE:
        put_done(put, &frame->u.done);
        return;
    case X402_TILL_ACK:
        till_put_uint(put, (uint64_t)frame->u.ack.err, 2);
        return;
    case X402_TILL_ISSUE:
        put_issue(put, &frame->u.issue);
        return;
    case X402_TILL_ISSUED:
        put_issued(put, &frame->u.issued);
        return;
    case X402_TILL_PROOF:
        put_proof(put, &frame->u.proof);
        return;
    case X402_TILL_READY:
    case X402_TILL_PING:
    case X402_TILL_PONG:
        return;
    }
    put->full = true;
}

size_t
x402_till_encode(uint8_t *out, size_t cap, const struct x402_till_frame *frame)
{
    struct till_put put = {out, 0, cap, false};
    struct till_put head = {out, 0, cap, false};

    till_put_uint(&put, 0, 4);
    till_put_uint(&put, X402_TILL_VERSION, 1);
    till_put_uint(&put, (uint64_t)frame->type, 1);
    till_put_uint(&put, 0, 2);
    till_put_uint(&put, frame->id, 8);
    put_body(&put, frame);
    if (put.full)
        return 0;
    till_put_uint(&head, put.len - 4, 4);
    return put.len;
}
