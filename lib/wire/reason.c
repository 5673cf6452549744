/* SPDX-License-Identifier: Apache-2.0 */
/* The names of refusals.  The error table has those of exact with EIP-3009;
 * the official packages use others for the same thing with Permit2. */
#include <x402/payment.h>

static const char *
upto_reason(enum x402_err err)
{
    switch ((int)err) {
    case X402_ERR_SCHEME:
        return "invalid_upto_evm_scheme";
    case X402_ERR_NETWORK:
        return "invalid_upto_evm_network_mismatch";
    case X402_ERR_TRANSACTION:
        return "invalid_upto_evm_transaction_failed";
    }
    return NULL;
}

static const char *
permit2_reason(enum x402_err err)
{
    switch ((int)err) {
    case X402_ERR_PAYEE:
        return "invalid_permit2_recipient_mismatch";
    case X402_ERR_AMOUNT:
        return "permit2_amount_mismatch";
    case X402_ERR_SIGNATURE:
        return "invalid_permit2_signature";
    case X402_ERR_EXPIRED:
    case X402_ERR_TOO_LONG:
        return "permit2_deadline_expired";
    case X402_ERR_NOT_YET_VALID:
        return "permit2_not_yet_valid";
    case X402_ERR_FUNDS:
        return "permit2_insufficient_balance";
    case X402_ERR_NONCE_USED:
        return "permit2_invalid_nonce";
    case X402_ERR_SIMULATION:
        return "permit2_simulation_failed";
    }
    return NULL;
}

const char *
x402_err_reason(enum x402_err err, int version, enum x402_method method)
{
    const char *reason = NULL;

    if (version == 1)
        return x402_err_info(err)->v1;
    if (method == X402_METHOD_PERMIT2_UPTO)
        reason = upto_reason(err);
    if (reason == NULL && method != X402_METHOD_EIP3009)
        reason = permit2_reason(err);
    return reason != NULL ? reason : x402_err_info(err)->v2;
}
