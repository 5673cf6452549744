/* SPDX-License-Identifier: Apache-2.0 */
/* RLP: whatever can be read to the bottom is written again byte for byte, which
 * is what canonical means. */
#include "fuzz.h"

#include <x402/rlp.h>

#define BYTES_MAX 4096
#define DEPTH_MAX 32

static bool write_items(struct x402_rlp_writer *w, const uint8_t *at,
                        size_t len, unsigned depth);

static bool
write_item(struct x402_rlp_writer *w, const struct x402_rlp_item *item,
           unsigned depth)
{
    size_t end = w->start;

    if (!item->list) {
        x402_rlp_bytes(w, item->at, item->len);
        return true;
    }
    if (depth == 0 || !write_items(w, item->at, item->len, depth - 1))
        return false;
    x402_rlp_list(w, end);
    return true;
}

/* The writer goes backwards, so the rest comes before the first. */
static bool
write_items(struct x402_rlp_writer *w, const uint8_t *at, size_t len,
            unsigned depth)
{
    struct x402_rlp_item items[64];
    size_t count = 0;

    while (len > 0) {
        const uint8_t *before = at;
        size_t left = len;

        if (count == 64)
            return false;
        if (x402_rlp_read(&items[count], &at, &len) != X402_OK) {
            HOLDS(at == before && len == left);
            return false;
        }
        HOLDS(at > before && len < left);
        HOLDS(items[count].at >= before &&
              items[count].at + items[count].len == at);
        count++;
    }
    while (count-- > 0) {
        if (!write_item(w, &items[count], depth))
            return false;
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[BYTES_MAX];
    struct x402_rlp_writer w = {memory, BYTES_MAX, BYTES_MAX, false};

    if (size > BYTES_MAX || !write_items(&w, data, size, DEPTH_MAX))
        return 0;
    HOLDS(!w.full && BYTES_MAX - w.start == size);
    HOLDS(memcmp(memory + w.start, data, size) == 0);
    return 0;
}
