/* SPDX-License-Identifier: Apache-2.0 */
/* scrypt without the bound that OpenSSL sets on N. */
#ifndef KEYSTORE_SCRYPT_H
#define KEYSTORE_SCRYPT_H

#include <stdbool.h>

#include "derive.h"

/** Derive 32 bytes; the costs were checked before.  false: no memory. */
__attribute__((warn_unused_result)) bool
keystore_scrypt(uint8_t out32[32], const struct keystore_kdf_params *params,
                struct x402_span password);

#endif
