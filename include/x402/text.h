/* SPDX-License-Identifier: Apache-2.0 */
/* Text that strangers wrote, made fit to be shown to people. */
#ifndef X402_TEXT_H
#define X402_TEXT_H

#include <stddef.h>

#include <x402/span.h>

/** Copy text: control characters (C0, DEL, C1), bidirectional overrides,
 *  zero-width and other invisible format characters and bytes that are not
 *  UTF-8 become '?'.  Cut at cap - 1 bytes, between characters.
 *  Out: NUL-terminated.  Returns the length.  Threads: any. */
size_t x402_text_clean(char *out, size_t cap, struct x402_span text);

#endif
