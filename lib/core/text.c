/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning a stranger's text for people's eyes. */
#include <x402/text.h>

#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence that this byte begins, 0: none. */
static size_t
sequence_len(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* Decode one character; 0 and *used = 1 for anything that is not UTF-8. */
static uint32_t
next_character(const unsigned char *at, size_t len, size_t *used)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t need = sequence_len(at[0]);
    uint32_t c;

    *used = 1;
    if (need == 0 || need > len)
        return 0;
    c = at[0] & mask[need];
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3fU);
    }
    if (c < smallest[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *used = need;
    return c;
}

static bool
within(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

/* Everything that moves the cursor, changes the direction of text or hides. */
static bool
is_unsafe(uint32_t c)
{
    return c < 0x20 || within(c, 0x7f, 0x9f) || c == 0xad || c == 0x61c ||
           c == 0x180e || within(c, 0x200b, 0x200f) ||
           within(c, 0x2028, 0x202e) || within(c, 0x2060, 0x206f) ||
           c == 0xfeff || within(c, 0xfff0, 0xfffb) ||
           within(c, 0xe0000, 0xe007f);
}

size_t
x402_text_clean(char *out, size_t cap, struct x402_span text)
{
    const unsigned char *at = (const unsigned char *)text.at;
    size_t len = 0;

    for (size_t i = 0, used; i < text.len; i += used) {
        uint32_t c = next_character(at + i, text.len - i, &used);
        bool unsafe = is_unsafe(c);
        size_t width = unsafe ? 1 : used;

        if (len + width + 1 > cap)
            break;
        if (unsafe)
            out[len] = '?';
        else
            memcpy(out + len, at + i, used);
        len += width;
    }
    out[len] = '\0';
    return len;
}
