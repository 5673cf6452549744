/* SPDX-License-Identifier: Apache-2.0 */
/* The x402 scheme `exact` on Lightning (scheme_exact_lnbtc.md): what a request
 * is, what a seller asks for, what a payment proves. */
#ifndef X402_LNBTC_H
#define X402_LNBTC_H

#include <jansson.h>

#include <x402/bolt11.h>

#define X402_LNBTC_URL_MAX 8192
#define X402_LNBTC_HEADERS_MAX 32
#define X402_LNBTC_NAME_MAX 64
#define X402_LNBTC_SKEW_S 60

/* ---- the request, profile http:1 ---- */

/** One bound header of the request as it came. */
struct x402_lnbtc_header {
    struct x402_span name;         /* lower case */
    const struct x402_span *lines; /* field lines, in order */
    size_t lines_len;              /* 0: absent */
};

struct x402_lnbtc_request {
    struct x402_span method; /* as sent, case kept */
    struct x402_span url;    /* absolute, from the configured origin */
    uint8_t body_hash[32];   /* SHA-256 of the content; of nothing if none */
    const struct x402_lnbtc_header *headers; /* ascending by name */
    size_t headers_len;
};

/** An absolute http or https URL as http:1 wants it: ASCII, valid percent
 *  escapes, a host, no user information, no fragment, a port of 1..65535.
 *  Nothing is normalised. */
X402_MUST_CHECK enum x402_err x402_lnbtc_check_url(struct x402_span url);

/** Names a server may bind: 1..X402_LNBTC_NAME_MAX characters of a lower-case
 *  field name, not payment-signature. */
X402_MUST_CHECK enum x402_err x402_lnbtc_check_name(struct x402_span name);

/** valueHash of one header: lines trimmed of spaces and tabs, joined with ", ",
 *  hashed after 0x01; absent is the hash of 0x00.
 *  Returns: X402_ERR_LN_BINDING for characters other than tab and 0x20..0x7e */
X402_MUST_CHECK enum x402_err
x402_lnbtc_value_hash(uint8_t out32[32], const struct x402_span *lines,
                      size_t lines_len);

/** The request hash of http:1.
 *  Returns: X402_ERR_LN_BINDING for a method, URL, name, order or value that
 *           the profile does not allow.  Threads: any. */
X402_MUST_CHECK enum x402_err
x402_lnbtc_request_hash(uint8_t out32[32],
                        const struct x402_lnbtc_request *request);

/* ---- the request, profile mcp:1 ---- */

#define X402_LNBTC_CALL_MAX 65536 /* bytes of the binding, as JCS */

/** An MCP tools/call. */
struct x402_lnbtc_call {
    struct x402_span server;     /* the configured endpoint: http or https */
    struct x402_span name;       /* params.name */
    const json_t *arguments;     /* params.arguments; NULL: omitted */
    const json_t *meta;          /* params._meta; NULL: none */
    const char *const *metadata; /* names of bound members of _meta, ascending
                                    by UTF-16 code units */
    size_t metadata_len;
};
/** The request hash of mcp:1.
 *  Returns: X402_ERR_LN_BINDING for a server, name, order, type or value that
 *           the profile does not allow, a number that is no integer of at most
 *           2^53-1, and a binding over X402_LNBTC_CALL_MAX.
 *  Memory:  128 KiB of stack.  Threads: any. */
X402_MUST_CHECK enum x402_err
x402_lnbtc_call_hash(uint8_t out32[32], const struct x402_lnbtc_call *call);

/* ---- the offer ---- */

/** One lnbtc entry of `accepts`.  Spans borrow. */
struct x402_lnbtc_terms {
    enum x402_ln_network network; /* one with a CAIP-2 name */
    struct x402_msat amount;
    uint8_t pay_to[X402_NODE_LEN];
    uint32_t timeout_s; /* equal to the invoice's expiry */
    uint8_t request_hash[32];
    struct x402_span header[X402_LNBTC_HEADERS_MAX]; /* bound, ascending */
    size_t headers_len;
    bool has_tag; /* extra.paymentMethod is "lightning": ours always carry it,
                     for clients that look for it */
    bool held;    /* extra.paymentFlow is "authorization", not "upfront": paid
                     when the work is done; the invoice alone is shown */
    struct x402_span invoice; /* {NULL,0}: none */
};

/** The entry as JSON, extra.paymentMethod always with it. */
void x402_lnbtc_write_entry(struct x402_buf *buf,
                            const struct x402_lnbtc_terms *terms);

/** Read an entry: of a 402's `accepts`, or `accepted` of a payment.
 *  Out:     spans borrow from entry
 *  Returns: X402_ERR_NETWORK when `network` is not in the lnbtc namespace: not
 *           an entry for this function.  Else the scheme's reason: X402_ERR_LN_
 *           SCHEME NETWORK ASSET AMOUNT PAY_TO TIMEOUT METHOD FLOW BINDING
 *           EXTRA INVOICE_MISSING. */
X402_MUST_CHECK enum x402_err
x402_lnbtc_read_entry(struct x402_lnbtc_terms *out, const json_t *entry);

/** The invoice does what the terms say: the checks that a server makes before
 *  it sends a challenge, a client before it pays, and both again on a proof.
 *  In:      now_s, skew_s  for the creation time only; see
 *                          x402_bolt11_is_expired
 *  Out:     *out           the decoded invoice; may be NULL
 *  Returns: X402_ERR_LN_ INVOICE DESCRIPTION INVOICE_REQUEST INVOICE_PAYEE
 *           INVOICE_CURRENCY INVOICE_AMOUNT INVOICE_EXPIRY INVOICE_FUTURE */
X402_MUST_CHECK enum x402_err
x402_lnbtc_check_invoice(struct x402_bolt11 *out, struct x402_span invoice,
                         const struct x402_lnbtc_terms *terms, uint64_t now_s,
                         uint64_t skew_s);

/* ---- the payment ---- */

/** `payload` and `accepted` of a PAYMENT-SIGNATURE.  Spans borrow from the JSON
 *  it was read from. */
struct x402_lnbtc_payment {
    struct x402_lnbtc_terms accepted;
    bool has_preimage; /* false: an invoice-only payload, payload.invoice */
    uint8_t preimage[32];
    uint8_t payment_hash[32]; /* SHA-256 of the preimage */
    struct x402_span invoice; /* accepted.extra.invoice; payload.invoice of an
                                 invoice-only payload must equal it */
};

/** Decode a PAYMENT-SIGNATURE header that pays by Lightning.
 *  Out:     *owner  json_decref it when done with *out; untouched on error
 *  Returns: X402_ERR_NETWORK  it pays by something else: ask
 *                             x402_payment_decode
 *           X402_ERR_SYNTAX, X402_ERR_TOO_LARGE, X402_ERR_VERSION: malformed
 *           X402_ERR_LN_PREIMAGE_ MISSING MALFORMED LENGTH, and those of
 *           x402_lnbtc_read_entry */
X402_MUST_CHECK enum x402_err
x402_lnbtc_payment_decode(json_t **owner, struct x402_lnbtc_payment *out,
                          struct x402_span header);
/** The same from a payment object (MCP, facilitator bodies). */
X402_MUST_CHECK enum x402_err
x402_lnbtc_payment_from_json(struct x402_lnbtc_payment *out,
                             const json_t *object);

/** Limits of time for one check. */
struct x402_lnbtc_clock {
    uint64_t now_s;
    uint64_t skew_s;  /* of creation time; X402_LNBTC_SKEW_S */
    uint64_t grace_s; /* after the invoice's end; the specification's default
                         is the skew */
};

/** Facilitator validation, steps 1 to 7, against the terms that the server made
 *  itself (its invoice is not looked at).
 *  Out:     *invoice  the accepted invoice, decoded
 *  Returns: X402_OK: the proof is right; whether it was used or paid to us is
 *           the ledger's and the node's to say.  Else the reason. */
X402_MUST_CHECK enum x402_err x402_lnbtc_check_payment(
    struct x402_bolt11 *invoice, const struct x402_lnbtc_payment *payment,
    const struct x402_lnbtc_terms *terms, const struct x402_lnbtc_clock *clock);

/** "lnbtc:<genesis>:<payment hash>": the consumption key.  NUL-terminated. */
#define X402_LNBTC_ID_MAX 104
void x402_lnbtc_id(char out[X402_LNBTC_ID_MAX], enum x402_ln_network network,
                   const uint8_t payment_hash[32]);

/** Write a payment for a PAYMENT-SIGNATURE header (base64), as a client.
 *  In:      accepted_json  the entry exactly as received
 *           scratch        as large as out */
void x402_lnbtc_payment_encode(struct x402_buf *out, struct x402_buf *scratch,
                               struct x402_span accepted_json,
                               struct x402_span resource_json,
                               const uint8_t preimage[32]);
/** The same for a hold invoice ("paymentFlow": "authorization"), whose payer
 *  has no preimage yet: payload.invoice. */
void x402_lnbtc_payment_encode_held(struct x402_buf *out,
                                    struct x402_buf *scratch,
                                    struct x402_span accepted_json,
                                    struct x402_span resource_json,
                                    struct x402_span invoice);

/** SettlementResponse, not yet base64: success with the payment hash, or the
 *  reason with transaction "".  There is no payer. */
void x402_lnbtc_receipt(struct x402_buf *buf, enum x402_err reason,
                        enum x402_ln_network network,
                        const uint8_t payment_hash[32]);

#endif
