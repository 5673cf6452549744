/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people, on stderr.  What a server says is data: it is cleaned of
 * everything that could drive a terminal before it is shown. */
#ifndef CLIENT_TERMINAL_H
#define CLIENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include <x402/span.h>

/** How much to say. */
struct say {
    bool quiet;   /* -s: errors only */
    bool verbose; /* -v */
    bool tty;     /* stderr is a terminal */
};

/** Copy text for display: control characters (C0, DEL, C1), bidirectional
 *  overrides, zero-width and other invisible format characters and bytes that
 *  are not UTF-8 become '?'.  Cut at cap - 1 bytes, between characters.
 *  Out: NUL-terminated.  Returns the length. */
size_t terminal_clean(char *out, size_t cap, struct x402_span text);

/** "x402: ..." and a line end.  Arguments that come from a server must have
 *  passed terminal_clean; the finished line is cleaned once more all the same,
 *  so that one that was forgotten is harmless. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_note(const struct say *say, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void say_detail(const struct say *say, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
