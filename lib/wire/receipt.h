/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the receipts: bounds. */
#ifndef X402_WIRE_RECEIPT_H
#define X402_WIRE_RECEIPT_H

#include <x402/receipt.h>

/* The longest we write: all members, the longest reason (64), an amount of 78
 * digits. */
#define RECEIPT_JSON_MAX 512
/* The longest we read: other servers add extensions. */
#define RECEIPT_READ_MAX 16384

#endif
