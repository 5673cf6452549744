/* SPDX-License-Identifier: Apache-2.0 */
/* What a 402 says of its resource becomes a listing: never larger than stated,
 * never with a character that people must not be shown, and always JSON. */
#include <stdlib.h>
#include <string.h>

#include <x402/json.h>
#include <x402/text.h>

#include "../../daemon/bazaar/listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_texts(const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        size_t len = json_string_length(value);
        char *clean = malloc(len + 1);

        if (clean == NULL ||
            x402_text_clean(clean, len + 1, (struct x402_span){text, len}) !=
                len ||
            memcmp(clean, text, len) != 0)
            abort();
        free(clean);
    }
    json_array_foreach(value, i, member) check_texts(member);
    json_object_foreach((json_t *)value, key, member) check_texts(member);
}

static void
check(struct listing *listing)
{
    json_t *json;

    if (listing->item_len + 1 > sizeof(listing->item) ||
        listing->url[0] == '\0' || listing->payee_len == 0)
        abort();
    json = json_loadb(listing->item, listing->item_len + 1, 0, NULL);
    if (json == NULL || json_object_get(json, "accepts") == NULL)
        abort();
    check_texts(json);
    json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct listing listing;
    const struct guard guard = {.what = "fuzz"};
    struct listing_source source = {.version = 2};
    char why[160] = "";
    json_t *json;

    if (x402_json_load(&json, (struct x402_span){(const char *)data, size},
                       65536, X402_JSON_DEPTH_MAX) != X402_OK)
        return 0;
    source.resource = json_object_get(json, "resource");
    source.accepts = json_object_get(json, "accepts");
    source.bazaar =
        json_object_get(json_object_get(json, "extensions"), "bazaar");
    if (listing_read(&listing, why, sizeof(why), &source, &guard))
        check(&listing);
    else if (why[0] == '\0')
        abort(); /* a refusal says why */
    json_decref(json);
    return 0;
}
