/* SPDX-License-Identifier: Apache-2.0 */
/* What an API key may still spend on gas today. */
#ifndef X402D_LEDGER_KEY_GAS_H
#define X402D_LEDGER_KEY_GAS_H

#include "internal.h"

/** Does this claim's gas fit into what is left of its key's day?  Threads:
 * writer, inside the claim's transaction. */
bool key_gas_fits(struct db *db, const struct ledger_reserve *in);
/** Count it. */
void key_gas_add(struct db *db, const struct ledger_reserve *in);

#endif
