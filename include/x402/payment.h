/* SPDX-License-Identifier: Apache-2.0 */
/* One payment, from whichever wire: decoded once, then checked as a typed
 * struct. */
#ifndef X402_PAYMENT_H
#define X402_PAYMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/buf.h>
#include <x402/eip3009.h>
#include <x402/error.h>
#include <x402/network.h>
#include <x402/permit2.h>
#include <x402/signer.h>

#define X402_PAYMENT_HEADER_MAX                                                \
    16384 /* base64 characters of a payment header */
#define X402_SIGNATURE_MAX                                                     \
    2048 /* bytes; more than 65 only from smart wallets */
#define X402_URL_MAX 2048

/** The wires a payment can come in.  Stored in the ledger: append only. */
enum x402_wire {
    X402_WIRE_V2 = 1, /* x402 version 2: has `accepted` */
    X402_WIRE_V1 = 2, /* x402 version 1 */
    X402_WIRE_SEED000 =
        3, /* version 1 shape with x402Version 2 and a CAIP-2 network */
    X402_WIRE_SEED001 = 4, /* receipt object with `chain` */
};

/** What a seller asks for: one entry of `accepts`. */
struct x402_requirement {
    const struct x402_asset
        *asset; /* chain, token, EIP-712 domain, decimals; never NULL */
    struct x402_address pay_to;
    struct x402_amount amount;
    uint32_t timeout_s; /* maxTimeoutSeconds */
    enum x402_method method;
    struct x402_address facilitator; /* upto: the only one who may settle */
};

struct x402_payment {
    enum x402_wire wire;
    uint64_t
        chain_id; /* from the payload's network; matched against the offer */
    enum x402_method method;
    struct x402_authorization auth;
    uint8_t signature[X402_SIGNATURE_MAX]; /* 65-byte ones have v = 27/28 */
    size_t signature_len;

    /* Permit2 only */
    struct x402_address token;       /* permitted.token, as it was signed */
    struct x402_address facilitator; /* upto: witness.facilitator */
    bool spender_wrong;              /* spender is not the method's proxy */
    struct x402_sponsor sponsor;
    enum x402_err sponsor_err; /* what is wrong with the sponsor's fields */
    uint64_t sponsor_deadline_s;

    /* version 2's echo of the requirement, compared with ours, never trusted */
    bool has_accepted;
    struct x402_address accepted_asset;
    struct x402_address accepted_pay_to;
    struct x402_amount accepted_amount;
    uint32_t accepted_timeout_s;
    bool accepted_domain_wrong; /* extra.name/version is not our table's for
                                   that asset */
    bool accepted_method_wrong; /* extra.assetTransferMethod is not eip3009 */
    /* seed 001's currency names an asset by symbol: "USDC"; "" on other wires
     */
    char currency[16];
};

/** Which header carried it. */
enum x402_carrier {
    X402_CARRIER_PAYMENT_SIGNATURE = 1,
    X402_CARRIER_X_PAYMENT = 2
};

/** Decode a payment header's value.
 *
 *  The content decides the wire: `accepted` is v2, integer `x402Version` the v1
 *  shape (2 there: seed 000), string `chain` seed 001; anything else is
 * refused. PAYMENT-SIGNATURE carries version 2 with `accepted` only.
 *
 *  Source:  x402 transports-v2/http, transports-v1/http; seed 000; seed 001
 * section 3. Out:     *out filled; unspecified on error. Returns:
 * X402_ERR_SYNTAX, X402_ERR_RANGE, X402_ERR_TOO_LARGE, X402_ERR_VERSION:
 * malformed. X402_ERR_SCHEME (not "exact"), X402_ERR_NETWORK (not one we know):
 * well-formed and not ours. Memory:  scratch through jansson and the stack,
 * freed before return.  Threads: any. */
X402_MUST_CHECK enum x402_err x402_payment_decode(struct x402_payment *out,
                                                  enum x402_carrier carrier,
                                                  struct x402_span header);
/** The same from a JSON text that was not base64 (MCP, facilitator bodies):
 * object of version `version` as it stands in paymentPayload. */
struct json_t;
X402_MUST_CHECK enum x402_err
x402_payment_from_json(struct x402_payment *out, const struct json_t *object,
                       enum x402_carrier carrier);

/** Limits of time for one check. */
struct x402_clock {
    uint64_t now_s;    /* wall clock, unix seconds */
    uint64_t margin_s; /* validBefore must be at least now + margin */
    uint64_t
        max_s; /* and at most now + max: longer authorizations are refused */
};

/** Match a payment against what we offer, cheap checks only, no cryptography.
 *  Order: network, asset, method, `accepted` as a whole, spender, payee,
 * facilitator, amount (equal), token, time.
 *  Out:     *which   index of the matching requirement (set also for EXPIRED)
 *  Returns: X402_ERR_NETWORK ASSET PAYLOAD_TYPE DOMAIN OFFER SPENDER PAYEE
 * FACILITATOR AMOUNT TOKEN TOO_LONG NOT_YET_VALID; X402_ERR_EXPIRED last:
 * everything but time is right. */
X402_MUST_CHECK enum x402_err
x402_payment_match(size_t *which, const struct x402_payment *payment,
                   const struct x402_requirement *offers, size_t offers_len,
                   const struct x402_clock *clock);
/** One signature recovery: the dear check.  Only 65-byte signatures are EOA
 * ones; any other length is X402_ERR_SIGNATURE here (a smart wallet's is the
 * chain's to judge). */
X402_MUST_CHECK enum x402_err
x402_payment_verify(const struct x402_payment *payment,
                    const uint8_t domain32[32]);
/** Are the fields of the EIP-2612 permit that came with it in order?  X402_OK
 * without one.  Returns: X402_ERR_PERMIT_*. */
X402_MUST_CHECK enum x402_err
x402_payment_sponsor_check(const struct x402_payment *payment,
                           const struct x402_clock *clock);
/** The reason of a refusal on the wire: 2.27's names for the payment's method
 * on version 2, the closed enum of 1.2 on version 1. */
const char *x402_err_reason(enum x402_err err, int version,
                            enum x402_method method);

/** "eip155:<id>:<contract>:<from>:<nonce>", lower case: the replay key as
 * text; the contract is x402_method_contract().  out holds X402_PAYMENT_ID_MAX
 * bytes.  NUL-terminated. */
#define X402_PAYMENT_ID_MAX 192
void x402_payment_id(char *out, uint64_t chain_id,
                     const struct x402_address *contract,
                     const struct x402_authorization *auth);

/** SHA-256 over length-prefixed method, origin, raw target, price (atomic
 * amount and asset) and body digest (32 bytes): what a payment is bound to. */
void x402_fingerprint(uint8_t out32[32], struct x402_span method,
                      struct x402_span origin, struct x402_span target,
                      const struct x402_amount *price,
                      const struct x402_asset *asset, const uint8_t body32[32]);

/** Encode a payment for a header (base64), as a client.
 *  In: accepted_json, resource_json, extensions_json: for v2 the chosen entry
 * of `accepts` and the 402's other members exactly as received ({NULL,0}: left
 * out); resource_url for seed 001 ({NULL,0} otherwise). */
struct x402_payment_echo {
    struct x402_span accepted_json;
    struct x402_span resource_json;
    struct x402_span extensions_json;
    struct x402_span resource_url;
};
void x402_payment_encode(struct x402_buf *out,
                         const struct x402_payment *payment,
                         const struct x402_asset *asset,
                         const struct x402_payment_echo *echo);

#endif
