/* SPDX-License-Identifier: Apache-2.0 */
/* Strangers' JSON, made fit to be shown to others. */
#ifndef X402D_BAZAAR_CLEAN_H
#define X402D_BAZAAR_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Levels of a value that are kept: an answer with it must stay below what
 * readers take (32). */
#define CLEAN_DEPTH_MAX 20

/** 1..max printable ASCII characters, the space among them. */
bool clean_is_ascii(const char *text, size_t max);
/** The same without a space, quote, backslash or angle bracket. */
bool clean_is_word(const char *text, size_t max);
/** Does a list of texts hold this one already?  Case does not count. */
bool clean_has(const json_t *list, const char *text);
/** A copy in which every text is cleaned (x402_text_clean) and no key holds
 *  anything that would have to be; {} when it is no object, nested too deeply
 *  or more than max bytes.  Never NULL but without memory. */
json_t *clean_object(const json_t *object, size_t max);

#endif
