/* SPDX-License-Identifier: Apache-2.0 */
/* What the wires share inside the library: the members that look the same in
 * several of them, and the functions of one wire that another file calls. */
#ifndef X402_WIRE_WIRE_H
#define X402_WIRE_WIRE_H

#include <jansson.h>

#include <x402/buf.h>
#include <x402/json.h>
#include <x402/payment.h>

/* A payment is shallow; extensions of version 2, whose content we do not read,
 * bring a JSON Schema along. */
#define WIRE_PAYMENT_DEPTH 24
#define WIRE_SEED001_DEPTH 4
#define WIRE_SEED001_MAX 8192

static inline bool
wire_is(struct x402_span text, const char *expected)
{
    return x402_span_eq(text, x402_span_of(expected));
}

/* -- members, member.c -- */

/** `x402Version` as the JSON integer 1 or 2.  SYNTAX, VERSION. */
X402_MUST_CHECK enum x402_err wire_version_read(int *out, const json_t *object);
/** `scheme` must be "exact".  SYNTAX, SCHEME. */
X402_MUST_CHECK enum x402_err wire_scheme_check(const json_t *object);
/** `scheme` of version 2: "exact" or "upto".  SYNTAX, SCHEME. */
X402_MUST_CHECK enum x402_err wire_scheme_read(bool *upto,
                                               const json_t *object);
/** `maxTimeoutSeconds`, a JSON integer 1..2^32-1.  SYNTAX, RANGE. */
X402_MUST_CHECK enum x402_err wire_timeout_read(uint32_t *out,
                                                const json_t *object);
/** An optional object member; null counts as absent.  SYNTAX. */
X402_MUST_CHECK enum x402_err
wire_optional_object(const json_t **out, const json_t *object, const char *key);
/** Absent, null and "" are all in use for "not known". */
bool wire_says_something(const json_t *object, const char *key);
/** Is extra.<key> the string `expected`? */
bool wire_extra_is(const json_t *extra, const char *key, const char *expected);
/** Are extra.name and extra.version the EIP-712 domain of our table? */
bool wire_domain_is(const json_t *extra, const struct x402_asset *asset);
/** Does extra ask for EIP-3009?  The specification: "assetTransferMethod ...
 *  defaults to eip3009". */
bool wire_transfer_is_eip3009(const json_t *extra);
/** Does extra say permit2, or nothing? */
bool wire_transfer_may_be_permit2(const json_t *extra);

/* -- networks as each wire writes them, member.c -- */

/** The name of seed 001 ("base"), CAIP-2 where the seed has none. */
const char *wire_seed001_chain(const struct x402_network *network);
/** NULL when that wire has no name for the chain. */
const char *wire_network_text(enum x402_wire wire, uint64_t chain_id);

/* -- the signed part, payload.c -- */

/** Read `payload` {signature, authorization} of an object of any EVM wire, or
 * {signature, permit2Authorization} of version 2, whose out->method says upto
 * or not. */
X402_MUST_CHECK enum x402_err wire_payload_read(struct x402_payment *out,
                                                const json_t *object);
X402_MUST_CHECK enum x402_err wire_signature_read(struct x402_payment *out,
                                                  const json_t *payload);
X402_MUST_CHECK enum x402_err
wire_seconds_read(uint64_t *out, const json_t *object, const char *key);
/** An address other than zero. */
X402_MUST_CHECK enum x402_err wire_party_read(struct x402_address *out,
                                              const json_t *object,
                                              const char *key);

/* -- Permit2, payload_permit2.c, sponsor.c -- */

/** Read {signature, permit2Authorization}. */
X402_MUST_CHECK enum x402_err permit2_read(struct x402_payment *out,
                                           const json_t *payload);
/** Read what gives Permit2 its allowance, if it is among the extensions; what
 * is wrong with it goes into out->sponsor_err. */
void sponsor_read(struct x402_payment *out, const json_t *object);

/* -- written, payment_encode.c -- */

/** The payment's JSON text, before base64.  full: the wire has no name for the
 *  chain, or no room. */
void wire_payment_json(struct x402_buf *out, const struct x402_payment *payment,
                       const struct x402_asset *asset,
                       const struct x402_payment_echo *echo);
/** Version 2's requirement that this payment fits exactly. */
void wire_requirement_json(struct x402_buf *out,
                           const struct x402_payment *payment,
                           const struct x402_asset *asset);

/** The error whose reason text this is on version 2, then on version 1;
 *  X402_ERR_INTERNAL for a text we do not know.  receipt_decode.c */
enum x402_err wire_reason(struct x402_span text);

/* -- one wire each, from an object that was found to be of that wire -- */

X402_MUST_CHECK enum x402_err payment_v2_read(struct x402_payment *out,
                                              const json_t *object);
X402_MUST_CHECK enum x402_err payment_v1_read(struct x402_payment *out,
                                              const json_t *object);
X402_MUST_CHECK enum x402_err payment_seed000_read(struct x402_payment *out,
                                                   const json_t *object);
X402_MUST_CHECK enum x402_err payment_seed001_read(struct x402_payment *out,
                                                   const json_t *object);

#endif
