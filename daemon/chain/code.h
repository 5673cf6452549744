/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses have code.  An account can gain code at any time (EIP-7702),
 * so what is known is forgotten after ten seconds. */
#ifndef X402D_CODE_H
#define X402D_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/address.h>

#include "pace.h"

#define CODE_KEEP_MS pace_ms(10000)
#define CODE_SLOTS 8192 /* a newcomer takes the place of whoever is there */

enum code { CODE_UNKNOWN, CODE_NONE, CODE_SOME };

struct code_cache {
    uint64_t seed; /* addresses are chosen by strangers */
    struct code_slot {
        struct x402_address address;
        uint64_t until_ms;
        bool some;
    } slot[CODE_SLOTS];
};

enum code code_find(const struct code_cache *cache,
                    const struct x402_address *address, uint64_t now_ms);
void code_keep(struct code_cache *cache, const struct x402_address *address,
               bool some, uint64_t now_ms);

#endif
