/* SPDX-License-Identifier: Apache-2.0 */
/* What settlements cost lately, in gas: so that the next one can be tried with
 * about as much, in place of an estimate.  Pure. */
#ifndef X402D_GAS_H
#define X402D_GAS_H

#include <stddef.h>
#include <stdint.h>

#define GAS_LEARNED_MS 60000 /* then it is estimated anew */

struct gas {
    uint64_t each; /* of a payment */
    uint64_t learned_ms;
};

/** An estimate: this many payments need `gas`. */
void gas_learn(struct gas *gas, uint64_t estimate, size_t payments,
               uint64_t now_ms);
/** A little more than they will need; 0: nothing is known. */
uint64_t gas_guess(const struct gas *gas, size_t payments, uint64_t now_ms);

#endif
