/* SPDX-License-Identifier: Apache-2.0 */
/* Payments that did not go now, and when to try each again.  In memory only:
 * after a restart everything is tried at once. */
#ifndef X402D_LATER_H
#define X402D_LATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/error.h>

#include "pace.h"

#define LATER_MAX 8192 /* more: the oldest bucket mates are tried early */
#define LATER_FIRST_MS pace_ms(1000)
#define LATER_MOST_MS pace_ms(60000)

struct later;

struct later *later_new(void);
void later_free(struct later *later);

/** Twice as long as the last time, up to a minute. */
void later_put(struct later *later, int64_t payment, enum x402_err reason,
               uint64_t now_ms);
/** Not to be tried yet. */
bool later_waits(const struct later *later, int64_t payment, uint64_t now_ms);
/** Why it did not go the last time; X402_OK when it was never put off. */
enum x402_err later_reason(const struct later *later, int64_t payment);
/** How often in a row. */
unsigned later_tries(const struct later *later, int64_t payment);
/** Not again, as long as this program runs. */
void later_never(struct later *later, int64_t payment);
void later_forget(struct later *later, int64_t payment);
size_t later_len(const struct later *later);

#endif
