/* SPDX-License-Identifier: Apache-2.0 */
/* What a bitcoin costs in dollars: a fixed number, or one that an HTTP server
 * tells and that is only used while it is fresh. */
#ifndef X402D_RATE_H
#define X402D_RATE_H

#include <x402/msat.h>
#include <x402/amount.h>

#include "../config.h"
#include "rest.h"

#define RATE_UNIT 100000000u /* a rate is hundred-millionths of a dollar */

struct rate;

struct rate *rate_new(uv_loop_t *loop, const struct config_rate *config);
/** Stop; then closed(arg). */
void rate_close(struct rate *rate, void (*closed)(void *arg), void *arg);
/** 0: there is none now. */
uint64_t rate_now(const struct rate *rate);

/** A price in atomic units of a dollar token, at a rate, up to the next whole
 *  millisatoshi.  X402_ERR_RANGE: nothing, or more than there is. */
X402_MUST_CHECK enum x402_err rate_convert(struct x402_msat *out,
                                           const struct x402_amount *price,
                                           unsigned decimals, uint64_t rate);

/** The number at `field` ("data.amount", "result.0") of a JSON value, as a
 *  rate: a decimal string or a number.  false: not there, or not a rate. */
bool rate_read(uint64_t *out, const json_t *json, const char *field);

#endif
