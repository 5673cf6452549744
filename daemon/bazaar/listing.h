/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of the catalogue, made from what a 402, or a payment, says of its
 * resource.  Strangers wrote it: every text is cleaned, every list and length
 * bounded, and what is not known to be harmless is left out. */
#ifndef X402D_BAZAAR_LISTING_H
#define X402D_BAZAAR_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <x402/payment.h>

#include "url.h"

#define LISTING_ACCEPTS_MAX 20
#define LISTING_NAME_MAX 32 /* specs/extensions/bazaar.md: serviceName, tag */
#define LISTING_TAGS_MAX 5
#define LISTING_DESCRIPTION_MAX 500
#define LISTING_EXTRA_MAX 1024
#define LISTING_ITEM_MAX 16384
#define LISTING_KEY_MAX (X402_URL_MAX + 132)
#define LISTING_PAYEES_MAX LISTING_ACCEPTS_MAX
#define LISTING_PAYEE_MAX 129
#define LISTING_TERM_LEN 17 /* 'z' and 16 hex digits */

struct listing {
    char url[X402_URL_MAX];    /* canonical: no query, a template's path */
    char key[LISTING_KEY_MAX]; /* the URL; with MCP, the tool too */
    char type[8];              /* "http", "mcp" */
    char method[8];            /* "" for MCP */
    char name[LISTING_NAME_MAX + 1];
    char description[LISTING_DESCRIPTION_MAX + 1];
    char tags[LISTING_TAGS_MAX * (LISTING_NAME_MAX + 1) + 1];
    /* what filters look for, as words that no text contains */
    char terms[(5 * LISTING_ACCEPTS_MAX + LISTING_TAGS_MAX + 8) *
               (LISTING_TERM_LEN + 1)];
    char payee[LISTING_PAYEES_MAX][LISTING_PAYEE_MAX]; /* lower case */
    size_t payee_len;
    int64_t price_micro; /* cheapest dollar price in millionths; -1: unknown */
    size_t item_len;
    char item[LISTING_ITEM_MAX]; /* the JSON object, without its last '}' */
};

/** What a listing is made of; parts that are not said are NULL. */
struct listing_source {
    const json_t *resource; /* v2's object: url, description, … */
    const json_t *accepts;
    const json_t *bazaar; /* the extension */
    int version;
};

/** false with a reason for people (it may quote the sender). */
bool listing_read(struct listing *out, char *why, size_t why_len,
                  const struct listing_source *source,
                  const struct guard *guard);

#define LISTING_PAYEES_TEXT (LISTING_PAYEES_MAX * (LISTING_PAYEE_MAX + 1) + 2)
/** All payees in one text, each with a space before and after it. */
void listing_payees(char out[LISTING_PAYEES_TEXT],
                    const struct listing *listing);

/** "network", "eip155:8453" as a word: kinds are type, network, scheme, asset,
 * payTo, extension, tag.  Case does not count. */
void listing_term(char out[LISTING_TERM_LEN + 1], const char *kind,
                  const char *value);

#endif
