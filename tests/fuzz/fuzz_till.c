/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes on the till's socket: more is wanted, the connection is closed, or
 * a frame is read that encodes to exactly these bytes. */
#include <x402/till.h>

#include "fuzz_wire.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct x402_till_frame frame;
    static uint8_t back[X402_TILL_FRAME_MAX];
    size_t used = 1;
    enum x402_err err = x402_till_decode(&frame, &used, data, size);

    HOLDS(used <= size);
    HOLDS(err == X402_OK || (err == X402_ERR_SYNTAX && used == 0));
    if (used > 0)
        HOLDS(x402_till_encode(back, sizeof(back), &frame) == used &&
              memcmp(back, data, used) == 0);
    return 0;
}
