/* SPDX-License-Identifier: Apache-2.0 */
/* The Payment authentication scheme (draft-ryan-httpauth-payment) and its
 * Lightning charge. */
#ifndef X402_MPP_H
#define X402_MPP_H

#include <jansson.h>

#include <x402/bolt11.h>

#define X402_MPP_CREDENTIAL_MAX 65536 /* characters after "Payment " */
#define X402_MPP_ID_LEN 43            /* base64url of 32 bytes */
#define X402_MPP_REQUEST_MAX 12288

/** The parameters of a challenge; absent ones {NULL,0}. */
struct x402_mpp_challenge {
    struct x402_span id;
    struct x402_span realm;
    struct x402_span method;  /* "lightning" */
    struct x402_span intent;  /* "charge" */
    struct x402_span request; /* base64url of canonical JSON */
    struct x402_span expires; /* RFC 3339 */
    struct x402_span digest;  /* "sha-256=:..:" */
    struct x402_span description;
    struct x402_span opaque;
};

/** base64url(HMAC-SHA256(secret, realm|method|intent|request|expires|digest|
 *  opaque)), NUL-terminated.
 *  Returns: X402_ERR_SYNTAX when a slot has a '|' in it: two challenges could
 *           have one id.  X402_ERR_TOO_LARGE */
X402_MUST_CHECK enum x402_err
x402_mpp_id(char out[X402_MPP_ID_LEN + 1],
            const struct x402_mpp_challenge *challenge, const uint8_t *secret,
            size_t secret_len);

/** Value of WWW-Authenticate: Payment id="..", realm="..", ..  Characters that
 *  no quoted string may carry are left out. */
void x402_mpp_write_challenge(struct x402_buf *buf,
                              const struct x402_mpp_challenge *challenge);

/** What a Lightning charge asks for. */
struct x402_mpp_charge {
    struct x402_msat amount; /* whole satoshis */
    enum x402_ln_network network;
    uint8_t payment_hash[32];
    struct x402_span invoice;
};

/** The charge as `request`: base64url of its canonical JSON.
 *  Returns: X402_ERR_RANGE     the amount is not whole satoshis, or the
 *                              network is one that the draft does not name
 *           X402_ERR_TOO_LARGE past X402_MPP_REQUEST_MAX, or buf is full */
X402_MUST_CHECK enum x402_err
x402_mpp_write_charge(struct x402_buf *buf,
                      const struct x402_mpp_charge *charge);

/** Does the value name the scheme (Payment, any case, then a space)? */
bool x402_mpp_is(struct x402_span authorization);

/** Authorization: Payment, decoded.  Spans borrow from the owner. */
struct x402_mpp_credential {
    struct x402_mpp_challenge challenge; /* as echoed */
    uint8_t preimage[32];
    uint8_t payment_hash[32]; /* SHA-256 of the preimage */
};

/** Read the credential of a Lightning charge.
 *  Out:     *owner  json_decref it when done with *out; untouched on error
 *  Returns: X402_ERR_TOO_LARGE  past X402_MPP_CREDENTIAL_MAX
 *           X402_ERR_SCHEME     another method or intent
 *           X402_ERR_LN_CREDENTIAL, X402_ERR_LN_PREIMAGE_ MISSING MALFORMED
 *           LENGTH */
X402_MUST_CHECK enum x402_err x402_mpp_decode(json_t **owner,
                                              struct x402_mpp_credential *out,
                                              struct x402_span authorization);

/** The challenge is ours, of this realm, unchanged, and the preimage is its
 *  invoice's.  Request, time, payment and use are the ledger's to judge, by
 *  payment hash.
 *  Returns: X402_ERR_LN_CHALLENGE  not ours or changed
 *           X402_ERR_LN_PREIMAGE */
X402_MUST_CHECK enum x402_err
x402_mpp_check(const struct x402_mpp_credential *credential,
               struct x402_span realm, const uint8_t *secret,
               size_t secret_len);

/** Value of Payment-Receipt, for 2xx answers only. */
void x402_mpp_receipt(struct x402_buf *buf, uint64_t now_s,
                      const uint8_t payment_hash[32],
                      struct x402_span challenge_id);

/** RFC 3339, "2026-03-15T12:05:00Z" and NUL; up to the year 9999. */
#define X402_RFC3339_LEN 20
void x402_mpp_time(char out[X402_RFC3339_LEN + 1], uint64_t unix_s);

/** Problem type of a refused credential, an absolute URI, and its title. */
struct x402_mpp_problem {
    const char *type;
    const char *title;
};
struct x402_mpp_problem x402_mpp_problem_of(enum x402_err err);

#endif
