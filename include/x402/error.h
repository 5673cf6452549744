/* SPDX-License-Identifier: Apache-2.0 */
/* Every way a payment can be refused: one table, from which the enum, the log
 * name, the HTTP status and the texts of all wires are made. */
#ifndef X402_ERROR_H
#define X402_ERROR_H

#define X402_MUST_CHECK __attribute__((warn_unused_result))

/** Who has to act.  PEER: the sender's input is wrong.  AGAIN: the same call
 *  may succeed later.  SELF: our fault, an operator should look. */
enum x402_fault {
    X402_FAULT_NONE,
    X402_FAULT_PEER,
    X402_FAULT_AGAIN,
    X402_FAULT_SELF
};

/* code, fault, HTTP status at the gateway, v2 reason (the names of the official
 * TypeScript facilitator 2.27), v1 reason (the closed enum of the official 1.2
 * packages), X-Payment-Error token.
 * The numbers travel in till frames and stand in the ledger: append only. */
#define X402_ERR_MAP(X)                                                        \
    X(X402_OK, 0, NONE, 200, "", "", "")                                       \
    X(X402_ERR_SYNTAX, 1, PEER, 400, "invalid_payload", "invalid_payload",     \
      "malformed")                                                             \
    X(X402_ERR_RANGE, 2, PEER, 400, "invalid_payload", "invalid_payload",      \
      "malformed")                                                             \
    X(X402_ERR_TOO_LARGE, 3, PEER, 400, "invalid_payload", "invalid_payload",  \
      "malformed")                                                             \
    X(X402_ERR_CREDENTIALS, 4, PEER, 400, "invalid_payload",                   \
      "invalid_payload", "multiple_payments")                                  \
    X(X402_ERR_VERSION, 5, PEER, 400, "invalid_x402_version",                  \
      "invalid_x402_version", "malformed")                                     \
    X(X402_ERR_SCHEME, 6, PEER, 402, "invalid_exact_evm_scheme",               \
      "unsupported_scheme", "unsupported_scheme")                              \
    X(X402_ERR_NETWORK, 7, PEER, 402, "invalid_exact_evm_network_mismatch",    \
      "invalid_network", "unsupported_chain")                                  \
    X(X402_ERR_ASSET, 8, PEER, 402, "asset_not_deployed_contract",             \
      "invalid_payment_requirements", "wrong_asset")                           \
    X(X402_ERR_PAYEE, 9, PEER, 402, "invalid_exact_evm_recipient_mismatch",    \
      "invalid_exact_evm_payload_recipient_mismatch", "wrong_payee")           \
    X(X402_ERR_AMOUNT, 10, PEER, 402,                                          \
      "invalid_exact_evm_payload_authorization_value_mismatch",                \
      "invalid_exact_evm_payload_authorization_value", "wrong_amount")         \
    X(X402_ERR_OFFER, 11, PEER, 402, "No matching payment requirements",       \
      "invalid_payment_requirements", "no_matching_offer")                     \
    X(X402_ERR_SIGNATURE, 12, PEER, 402, "invalid_exact_evm_signature",        \
      "invalid_exact_evm_payload_signature", "bad_signature")                  \
    X(X402_ERR_EXPIRED, 13, PEER, 402,                                         \
      "invalid_exact_evm_payload_authorization_valid_before",                  \
      "invalid_exact_evm_payload_authorization_valid_before", "expired")       \
    X(X402_ERR_TOO_LONG, 14, PEER, 402,                                        \
      "invalid_exact_evm_payload_authorization_valid_before",                  \
      "invalid_exact_evm_payload_authorization_valid_before",                  \
      "valid_too_long")                                                        \
    X(X402_ERR_NOT_YET_VALID, 15, PEER, 402,                                   \
      "invalid_exact_evm_payload_authorization_valid_after",                   \
      "invalid_exact_evm_payload_authorization_valid_after", "not_yet_valid")  \
    X(X402_ERR_DOMAIN, 16, PEER, 402,                                          \
      "invalid_exact_evm_missing_eip712_domain",                               \
      "invalid_payment_requirements", "wrong_domain")                          \
    X(X402_ERR_FUNDS, 17, PEER, 402, "invalid_exact_evm_insufficient_balance", \
      "insufficient_funds", "insufficient_funds")                              \
    X(X402_ERR_NONCE_USED, 18, PEER, 402,                                      \
      "invalid_exact_evm_nonce_already_used", "invalid_transaction_state",     \
      "replayed")                                                              \
    X(X402_ERR_SIMULATION, 19, PEER, 402,                                      \
      "invalid_exact_evm_transaction_simulation_failed",                       \
      "invalid_transaction_state", "simulation_failed")                        \
    X(X402_ERR_REPLAYED, 20, PEER, 402, "invalid_transaction_state",           \
      "invalid_transaction_state", "replayed")                                 \
    X(X402_ERR_RESOURCE, 21, PEER, 402, "invalid_transaction_state",           \
      "invalid_transaction_state", "resource_mismatch")                        \
    X(X402_ERR_RELEASE_LIMIT, 22, PEER, 402, "invalid_transaction_state",      \
      "invalid_transaction_state", "release_limit")                            \
    X(X402_ERR_IN_PROGRESS, 23, AGAIN, 409, "invalid_transaction_state",       \
      "duplicate_settlement", "in_progress")                                   \
    X(X402_ERR_PENDING, 24, AGAIN, 503, "settlement_pending",                  \
      "unexpected_settle_error", "settlement_pending")                         \
    X(X402_ERR_UNAVAILABLE, 25, AGAIN, 503, "unexpected_verify_error",         \
      "unexpected_verify_error", "verifier_unavailable")                       \
    X(X402_ERR_BUSY, 26, AGAIN, 503, "unexpected_verify_error",                \
      "unexpected_verify_error", "busy")                                       \
    X(X402_ERR_RATE, 27, AGAIN, 429, "unexpected_verify_error",                \
      "unexpected_verify_error", "rate_limited")                               \
    X(X402_ERR_FEES, 28, AGAIN, 503, "unexpected_settle_error",                \
      "unexpected_settle_error", "fees_too_high")                              \
    X(X402_ERR_TRANSACTION, 29, PEER, 402,                                     \
      "invalid_exact_evm_transaction_failed", "invalid_transaction_state",     \
      "transaction_failed")                                                    \
    X(X402_ERR_UNKNOWN_RESERVATION, 30, SELF, 503, "unexpected_verify_error",  \
      "unexpected_verify_error", "settlement_pending")                         \
    X(X402_ERR_REQUIREMENT, 31, PEER, 400, "invalid_payment_requirements",     \
      "invalid_payment_requirements", "malformed")                             \
    X(X402_ERR_INTERNAL, 32, SELF, 500, "unexpected_verify_error",             \
      "unexpected_verify_error", "internal")                                   \
    X(X402_ERR_UPSTREAM, 33, AGAIN, 504, "unexpected_verify_error",            \
      "unexpected_verify_error", "upstream_timeout")                           \
    /* Lightning: x402 scheme_exact_lnbtc.md, "Error Vocabulary" */            \
    X(X402_ERR_LN_SCHEME, 34, PEER, 402, "unsupported_scheme",                 \
      "unsupported_scheme", "unsupported_scheme")                              \
    X(X402_ERR_LN_NETWORK_MISMATCH, 35, PEER, 402, "network_mismatch",         \
      "invalid_network", "unsupported_chain")                                  \
    X(X402_ERR_LN_NETWORK, 36, PEER, 402, "unsupported_network",               \
      "invalid_network", "unsupported_chain")                                  \
    X(X402_ERR_LN_ASSET, 37, PEER, 402, "invalid_exact_lnbtc_asset",           \
      "invalid_payment_requirements", "wrong_asset")                           \
    X(X402_ERR_LN_AMOUNT, 38, PEER, 402, "invalid_exact_lnbtc_amount",         \
      "invalid_payment_requirements", "wrong_amount")                          \
    X(X402_ERR_LN_AMOUNT_MISMATCH, 39, PEER, 402,                              \
      "invalid_exact_lnbtc_amount_mismatch", "invalid_payment_requirements",   \
      "wrong_amount")                                                          \
    X(X402_ERR_LN_PAY_TO_MISMATCH, 40, PEER, 402,                              \
      "invalid_exact_lnbtc_pay_to_mismatch", "invalid_payment_requirements",   \
      "wrong_payee")                                                           \
    X(X402_ERR_LN_PAY_TO, 41, PEER, 402,                                       \
      "invalid_exact_lnbtc_pay_to_malformed", "invalid_payment_requirements",  \
      "wrong_payee")                                                           \
    X(X402_ERR_LN_TIMEOUT, 42, PEER, 402, "invalid_exact_lnbtc_max_timeout",   \
      "invalid_payment_requirements", "no_matching_offer")                     \
    X(X402_ERR_LN_TIMEOUT_MISMATCH, 43, PEER, 402,                             \
      "invalid_exact_lnbtc_max_timeout_mismatch",                              \
      "invalid_payment_requirements", "no_matching_offer")                     \
    X(X402_ERR_LN_EXTRA, 44, PEER, 402, "invalid_exact_lnbtc_extra_mismatch",  \
      "invalid_payment_requirements", "no_matching_offer")                     \
    X(X402_ERR_LN_BINDING, 45, PEER, 402,                                      \
      "invalid_exact_lnbtc_request_binding", "invalid_payment_requirements",   \
      "no_matching_offer")                                                     \
    X(X402_ERR_LN_REQUEST, 46, PEER, 402,                                      \
      "invalid_exact_lnbtc_request_mismatch", "invalid_payment_requirements",  \
      "resource_mismatch")                                                     \
    X(X402_ERR_LN_METHOD, 47, PEER, 402,                                       \
      "invalid_exact_lnbtc_asset_transfer_method",                             \
      "invalid_payment_requirements", "no_matching_offer")                     \
    X(X402_ERR_LN_FLOW, 48, PEER, 402, "invalid_exact_lnbtc_payment_flow",     \
      "invalid_payment_requirements", "no_matching_offer")                     \
    X(X402_ERR_LN_INVOICE_MISSING, 49, PEER, 402,                              \
      "invalid_exact_lnbtc_invoice_missing", "invalid_payload", "bad_invoice") \
    X(X402_ERR_LN_INVOICE, 50, PEER, 402,                                      \
      "invalid_exact_lnbtc_invoice_decode_failed", "invalid_payload",          \
      "bad_invoice")                                                           \
    X(X402_ERR_LN_DESCRIPTION, 51, PEER, 402,                                  \
      "invalid_exact_lnbtc_invoice_description", "invalid_payload",            \
      "bad_invoice")                                                           \
    X(X402_ERR_LN_INVOICE_REQUEST, 52, PEER, 402,                              \
      "invalid_exact_lnbtc_invoice_request_mismatch", "invalid_payload",       \
      "resource_mismatch")                                                     \
    X(X402_ERR_LN_INVOICE_PAYEE, 53, PEER, 402,                                \
      "invalid_exact_lnbtc_invoice_payee_mismatch", "invalid_payload",         \
      "wrong_payee")                                                           \
    X(X402_ERR_LN_INVOICE_CURRENCY, 54, PEER, 402,                             \
      "invalid_exact_lnbtc_invoice_currency_mismatch", "invalid_network",      \
      "unsupported_chain")                                                     \
    X(X402_ERR_LN_INVOICE_AMOUNT, 55, PEER, 402,                               \
      "invalid_exact_lnbtc_invoice_amount_mismatch", "invalid_payload",        \
      "wrong_amount")                                                          \
    X(X402_ERR_LN_INVOICE_EXPIRY, 56, PEER, 402,                               \
      "invalid_exact_lnbtc_invoice_expiry_mismatch", "invalid_payload",        \
      "bad_invoice")                                                           \
    X(X402_ERR_LN_INVOICE_FUTURE, 57, PEER, 402,                               \
      "invalid_exact_lnbtc_invoice_created_in_future", "invalid_payload",      \
      "not_yet_valid")                                                         \
    X(X402_ERR_LN_INVOICE_EXPIRED, 58, PEER, 402,                              \
      "invalid_exact_lnbtc_invoice_expired", "payment_expired", "expired")     \
    X(X402_ERR_LN_PREIMAGE_MISSING, 59, PEER, 402,                             \
      "invalid_exact_lnbtc_preimage_missing", "invalid_payload",               \
      "bad_preimage")                                                          \
    X(X402_ERR_LN_PREIMAGE_MALFORMED, 60, PEER, 402,                           \
      "invalid_exact_lnbtc_preimage_malformed", "invalid_payload",             \
      "bad_preimage")                                                          \
    X(X402_ERR_LN_PREIMAGE_LENGTH, 61, PEER, 402,                              \
      "invalid_exact_lnbtc_preimage_length", "invalid_payload",                \
      "bad_preimage")                                                          \
    X(X402_ERR_LN_PREIMAGE, 62, PEER, 402,                                     \
      "invalid_exact_lnbtc_preimage_hash_mismatch", "invalid_payload",         \
      "bad_preimage")                                                          \
    X(X402_ERR_LN_USED, 63, PEER, 402, "duplicate_settlement",                 \
      "duplicate_settlement", "replayed")                                      \
    X(X402_ERR_LN_NOT_PAID, 64, PEER, 402, "exact_lnbtc_payment_not_paid",     \
      "invalid_payment", "not_paid")                                           \
    X(X402_ERR_LN_IN_FLIGHT, 65, AGAIN, 409, "exact_lnbtc_payment_in_flight",  \
      "duplicate_settlement", "in_progress")                                   \
    X(X402_ERR_LN_ISSUANCE, 66, AGAIN, 429,                                    \
      "exact_lnbtc_invoice_issuance_denied", "unexpected_settle_error",        \
      "rate_limited")                                                          \
    X(X402_ERR_LN_CREDENTIAL, 67, PEER, 402, "invalid_payload",                \
      "invalid_payload", "bad_credential")                                     \
    X(X402_ERR_LN_CHALLENGE, 68, PEER, 402, "invalid_payload",                 \
      "invalid_payload", "unknown_challenge")                                  \
    X(X402_ERR_ALLOWANCE, 69, PEER, 412, "permit2_allowance_required",         \
      "insufficient_funds", "allowance_required")                              \
    X(X402_ERR_SPENDER, 70, PEER, 402, "invalid_permit2_spender",              \
      "invalid_payload", "wrong_spender")                                      \
    X(X402_ERR_TOKEN, 71, PEER, 402, "permit2_token_mismatch",                 \
      "invalid_payload", "wrong_asset")                                        \
    X(X402_ERR_FACILITATOR, 72, PEER, 402, "upto_facilitator_mismatch",        \
      "invalid_payload", "wrong_facilitator")                                  \
    X(X402_ERR_EXCEEDS, 73, PEER, 402,                                         \
      "invalid_upto_evm_payload_settlement_exceeds_amount", "invalid_payload", \
      "wrong_amount")                                                          \
    X(X402_ERR_PROXY, 74, PEER, 402, "permit2_proxy_not_deployed",             \
      "invalid_payment_requirements", "unsupported_scheme")                    \
    X(X402_ERR_PAYLOAD_TYPE, 75, PEER, 402, "unsupported_payload_type",        \
      "invalid_payload", "unsupported_scheme")                                 \
    X(X402_ERR_PERMIT_FORMAT, 76, PEER, 402,                                   \
      "invalid_eip2612_extension_format", "invalid_payload", "bad_permit")     \
    X(X402_ERR_PERMIT_FROM, 77, PEER, 402, "eip2612_from_mismatch",            \
      "invalid_payload", "bad_permit")                                         \
    X(X402_ERR_PERMIT_ASSET, 78, PEER, 402, "eip2612_asset_mismatch",          \
      "invalid_payload", "bad_permit")                                         \
    X(X402_ERR_PERMIT_SPENDER, 79, PEER, 402, "eip2612_spender_not_permit2",   \
      "invalid_payload", "bad_permit")                                         \
    X(X402_ERR_PERMIT_DEADLINE, 80, PEER, 402, "eip2612_deadline_expired",     \
      "invalid_payload", "bad_permit")                                         \
    X(X402_ERR_PERMIT_AMOUNT, 81, PEER, 402, "permit2_2612_amount_mismatch",   \
      "invalid_payload", "bad_permit")                                         \
    X(X402_ERR_CREDIT, 82, AGAIN, 503, "unexpected_verify_error",              \
      "unexpected_verify_error", "credit_limit")                               \
    X(X402_ERR_OVERRIDE, 83, SELF, 502, "unexpected_settle_error",             \
      "unexpected_settle_error", "upstream_amount")                            \
    X(X402_ERR_FACTORY, 84, PEER, 402, "eip6492_factory_not_allowed",          \
      "invalid_exact_evm_payload_undeployed_smart_wallet",                     \
      "factory_not_allowed")                                                   \
    X(X402_ERR_DEPLOYMENT, 85, PEER, 402, "smart_wallet_deployment_failed",    \
      "invalid_exact_evm_payload_undeployed_smart_wallet",                     \
      "wallet_deployment_failed")                                              \
    X(X402_ERR_APPROVAL_FORMAT, 86, PEER, 402,                                 \
      "invalid_erc20_approval_extension_format", "invalid_payload",            \
      "bad_approval")                                                          \
    X(X402_ERR_APPROVAL_FROM, 87, PEER, 402, "erc20_approval_from_mismatch",   \
      "invalid_payload", "bad_approval")                                       \
    X(X402_ERR_APPROVAL_ASSET, 88, PEER, 402, "erc20_approval_asset_mismatch", \
      "invalid_payload", "bad_approval")                                       \
    X(X402_ERR_APPROVAL_SPENDER, 89, PEER, 402,                                \
      "erc20_approval_spender_not_permit2", "invalid_payload", "bad_approval") \
    X(X402_ERR_APPROVAL_TARGET, 90, PEER, 402,                                 \
      "erc20_approval_tx_wrong_target", "invalid_payload", "bad_approval")     \
    X(X402_ERR_APPROVAL_SELECTOR, 91, PEER, 402,                               \
      "erc20_approval_tx_wrong_selector", "invalid_payload", "bad_approval")   \
    X(X402_ERR_APPROVAL_TX_SPENDER, 92, PEER, 402,                             \
      "erc20_approval_tx_wrong_spender", "invalid_payload", "bad_approval")    \
    X(X402_ERR_APPROVAL_CALLDATA, 93, PEER, 402,                               \
      "erc20_approval_tx_invalid_calldata", "invalid_payload", "bad_approval") \
    X(X402_ERR_APPROVAL_SIGNER, 94, PEER, 402,                                 \
      "erc20_approval_tx_signer_mismatch", "invalid_payload", "bad_approval")  \
    X(X402_ERR_APPROVAL_SIGNATURE, 95, PEER, 402,                              \
      "erc20_approval_tx_invalid_signature", "invalid_payload",                \
      "bad_approval")                                                          \
    X(X402_ERR_APPROVAL_PARSE, 96, PEER, 402,                                  \
      "erc20_approval_tx_parse_failed", "invalid_payload", "bad_approval")     \
    X(X402_ERR_APPROVAL_BROADCAST, 97, PEER, 402,                              \
      "erc20_approval_broadcast_failed", "invalid_payload", "bad_approval")    \
    X(X402_ERR_APPROVAL_GAS, 98, PEER, 402,                                    \
      "erc20_approval_insufficient_eth_for_gas", "invalid_payload",            \
      "bad_approval")                                                          \
    X(X402_ERR_KEY_GAS, 99, AGAIN, 429, "api_key_gas_budget_exceeded",         \
      "unexpected_settle_error", "rate_limited")

enum x402_err {
#define X402_ERR_ENUM(code, number, fault, status, v2, v1, token) code = number,
    X402_ERR_MAP(X402_ERR_ENUM)
#undef X402_ERR_ENUM
};

#define X402_ERR_COUNT 100

/** The row of one error.  All texts are static. */
struct x402_err_info {
    const char *name; /* "X402_ERR_EXPIRED", for logs */
    enum x402_fault fault;
    int http_status;   /* what the gateway answers */
    const char *v2;    /* invalidReason / errorReason on x402 version 2 */
    const char *v1;    /* the same on version 1 */
    const char *token; /* X-Payment-Error (seed 001) */
};

/** Look up an error.  A number outside the table gives the row of
 *  X402_ERR_INTERNAL, never NULL.  Threads: any. */
const struct x402_err_info *x402_err_info(enum x402_err err);

#endif
