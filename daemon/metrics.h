/* SPDX-License-Identifier: Apache-2.0 */
/* Counters for Prometheus.  Aggregates only: no addresses, no URLs. */
#ifndef X402D_METRICS_H
#define X402D_METRICS_H

#include <stddef.h>
#include <stdint.h>

#define METRICS_MAP(X)                                                         \
    X(RESERVES, "x402_reserves_total", "reserve requests from gateways")       \
    X(RESERVED, "x402_reserved_total", "reservations granted")                 \
    X(REFUSED, "x402_refused_total", "reserve requests refused")               \
    X(CAPTURED, "x402_captured_total", "payments captured")                    \
    X(RELEASED, "x402_released_total", "reservations released")                \
    X(REDEEMED, "x402_redeemed_total", "runs granted again without a charge")  \
    X(SETTLE_FIRST, "x402_settle_first_total",                                 \
      "reservations settled before the request")                               \
    X(MINED, "x402_mined_total", "payments mined")                             \
    X(FINAL, "x402_final_total", "payments final")                             \
    X(FAILED, "x402_failed_total", "payments proven unpayable")                \
    X(TRANSACTIONS, "x402_transactions_total", "transactions broadcast")       \
    X(APPROVALS, "x402_approvals_total",                                       \
      "payers' approvals of Permit2 broadcast")                                \
    X(GIFTS, "x402_gas_gifts_total", "payers given the gas of their approval") \
    X(FEE_BUMPS, "x402_fee_bumps_total",                                       \
      "transactions replaced with a higher fee")                               \
    X(REORGS, "x402_reorgs_total", "mined transactions that left the chain")   \
    X(RPC_CALLS, "x402_rpc_calls_total", "JSON-RPC requests")                  \
    X(RPC_ERRORS, "x402_rpc_errors_total", "JSON-RPC requests that failed")    \
    X(FACILITATOR_CALLS, "x402_facilitator_calls_total",                       \
      "requests to remote facilitators")                                       \
    X(FACILITATOR_UNKNOWN, "x402_facilitator_unknown_total",                   \
      "requests to remote facilitators without a usable answer")               \
    X(SIMULATIONS, "x402_simulations_total", "payments simulated")             \
    X(SIMULATIONS_BUSY, "x402_simulations_busy_total",                         \
      "payments refused because too many waited for the node")                 \
    X(VERIFY, "x402_verify_total", "POST /verify")                             \
    X(SETTLE, "x402_settle_total", "POST /settle")                             \
    X(HTTP_REQUESTS, "x402_http_requests_total", "HTTP requests")              \
    X(HTTP_REFUSED, "x402_http_refused_total",                                 \
      "HTTP requests refused for their form")                                  \
    X(RECOVERIES, "x402_recoveries_total",                                     \
      "signatures recovered for /verify and /settle")                          \
    X(CHECK_MICROS, "x402_check_microseconds_total",                           \
      "time the HTTP threads spent on decoding and recovery")                  \
    X(INVOICES_ISSUED, "x402_invoices_issued_total",                           \
      "Lightning invoices issued")                                             \
    X(INVOICES_REFUSED, "x402_invoices_refused_total",                         \
      "402s that had to go without a Lightning invoice")                       \
    X(INVOICES_PAID, "x402_invoices_paid_total",                               \
      "Lightning invoices that the node said were paid, before a proof came")  \
    X(HOLD_SETTLED, "x402_hold_settled_total", "hold invoices settled")        \
    X(HOLD_CANCELLED, "x402_hold_cancelled_total",                             \
      "hold invoices cancelled: their payers were not charged")                \
    X(HOLD_LOST, "x402_hold_lost_total",                                       \
      "hold invoices whose payment went back after the answer was delivered")  \
    X(COMMITS, "x402_ledger_commits_total", "ledger transactions")             \
    X(COMMANDS, "x402_ledger_commands_total", "ledger commands")

enum metric {
#define METRICS_ENUM(name, text, help) METRIC_##name,
    METRICS_MAP(METRICS_ENUM)
#undef METRICS_ENUM
        METRIC_COUNT
};

/** Add to a counter.  Threads: any (relaxed atomics). */
void metrics_add(enum metric metric, uint64_t n);
uint64_t metrics_get(enum metric metric);

#endif
