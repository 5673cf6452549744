/* SPDX-License-Identifier: Apache-2.0 */
/* Which transfers a simulation showed to go through a moment ago: payer, payee
 * and token.  What only a simulation shows (a paused token, a blacklisted
 * payer or payee) is the same for the next payment of that payer to that payee,
 * so where only advice is asked for, each of them need not be simulated.  What
 * differs from payment to payment is never kept here: nonce, balance, time.
 *
 * Times are monotonic milliseconds. */
#ifndef X402D_SHOWN_H
#define X402D_SHOWN_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/address.h>

#define SHOWN_SLOTS 8192 /* a newcomer takes the place of whoever is there */

struct shown_path {
    struct x402_address token, payer, payee;
};

struct shown {
    uint64_t seed; /* addresses are chosen by strangers */
    struct shown_slot {
        struct shown_path path;
        uint64_t at_ms; /* 0: never */
    } slot[SHOWN_SLOTS];
};

/** Did this go through less than age_ms ago?  Never with an age of 0. */
bool shown_has(const struct shown *shown, const struct shown_path *path,
               uint64_t now_ms, uint64_t age_ms);
/** In: asked_ms  when it was asked: what the chain said is at least so old. */
void shown_keep(struct shown *shown, const struct shown_path *path,
                uint64_t asked_ms);
/** It does not go through any more. */
void shown_forget(struct shown *shown, const struct shown_path *path);

#endif
