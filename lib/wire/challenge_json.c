/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON forms of a 402: the header PAYMENT-REQUIRED and the body. */
#include <stdlib.h>

#include <x402/encode.h>

#include "challenge.h"

static void
entry_read(struct x402_challenge *challenge, enum x402_wire wire,
           const json_t *entry)
{
    struct x402_choice choice;
    char *accepted = NULL;

    if (challenge_entry_read(&choice, wire, entry) != X402_OK) {
        challenge->skipped++;
        return;
    }
    if (wire == X402_WIRE_V2) {
        accepted = challenge_dump(entry);
        choice.accepted_json = x402_span_of(accepted);
    }
    /* Without its echo a version 2 offer cannot be paid. */
    if (wire == X402_WIRE_V2 && accepted == NULL)
        challenge->skipped++;
    else
        challenge_add(challenge, &choice, accepted);
}

/* In a body of version 2, seed 000 is told by its member `maxAmountRequired`.
 */
static enum x402_wire
wire_of(const json_t *entry, int version, bool header)
{
    if (version == 1)
        return X402_WIRE_V1;
    if (!header && json_object_get(entry, "maxAmountRequired") != NULL)
        return X402_WIRE_SEED000;
    return X402_WIRE_V2;
}

static void
accepts_read(struct x402_challenge *challenge, const json_t *accepts,
             int version, bool header)
{
    size_t i;
    const json_t *entry;

    json_array_foreach(accepts, i, entry)
    {
        if (i < X402_ACCEPTS_MAX)
            entry_read(challenge, wire_of(entry, version, header), entry);
        else
            challenge->skipped++;
    }
}

/* The first reading of each text wins: version 2's header comes first. */
static void
text_once(struct x402_span *out, const json_t *object, const char *key)
{
    struct x402_span text;

    if (out->at == NULL && x402_json_string(&text, object, key) == X402_OK)
        *out = text;
}

static void
resource_once(struct x402_challenge *challenge, const json_t *object)
{
    const json_t *resource = json_object_get(object, "resource");

    if (json_is_object(resource))
        text_once(&challenge->resource, resource, "url");
    else
        text_once(&challenge->resource, object, "resource");
}

/* "The client must echo" what stood beside the entry that it took: both come
 * from one object, the header's if there is one. */
static void
echo_keep(struct x402_challenge *challenge, const json_t *object)
{
    const json_t *resource = json_object_get(object, "resource");
    const json_t *extensions = json_object_get(object, "extensions");

    if (json_is_object(resource))
        challenge->resource_json = challenge_dump(resource);
    if (json_is_object(extensions))
        challenge->extensions_json = challenge_dump(extensions);
}

static void
object_read(struct x402_challenge *challenge, const json_t *object,
            const json_t *versioned, bool header)
{
    const json_t *accepts = json_object_get(object, "accepts");
    int version;

    if (wire_version_read(&version, versioned) != X402_OK)
        return;
    text_once(&challenge->error, object, "error");
    resource_once(challenge, object);
    resource_once(challenge, json_array_get(accepts, 0));
    if (version == 2 && (header || challenge->header == NULL))
        echo_keep(challenge, object);
    accepts_read(challenge, accepts, version, header);
}

/* Deployed servers of seed 000 answer {accepts} or {error:{accepts}}. */
static const json_t *
inner_of(const json_t *object)
{
    const json_t *error = json_object_get(object, "error");

    if (json_object_get(object, "accepts") == NULL && json_is_object(error))
        return error;
    return object;
}

void
challenge_read_body(struct x402_challenge *challenge, struct x402_span body)
{
    const json_t *inner;
    const json_t *versioned;

    if (x402_json_load(&challenge->body, body, CHALLENGE_TEXT_MAX,
                       CHALLENGE_DEPTH) != X402_OK)
        return;
    inner = inner_of(challenge->body);
    versioned =
        json_object_get(inner, "x402Version") != NULL ? inner : challenge->body;
    object_read(challenge, inner, versioned, false);
}

/* Decoded base64 as JSON; NULL for whatever is not both. */
static json_t *
header_load(struct x402_span header)
{
    size_t cap = X402_BASE64_DECODED_MAX(header.len);
    size_t len;
    uint8_t *text = malloc(cap);
    json_t *object = NULL;

    if (text != NULL &&
        x402_base64_decode(text, &len, cap, header) == X402_OK &&
        x402_json_load(&object, (struct x402_span){(const char *)text, len},
                       len, CHALLENGE_DEPTH) != X402_OK)
        object = NULL;
    free(text);
    return object;
}

void
challenge_read_header(struct x402_challenge *challenge, struct x402_span header)
{
    int version;
    json_t *object;

    if (header.len == 0 || header.len > CHALLENGE_TEXT_MAX)
        return;
    object = header_load(header);
    if (wire_version_read(&version, object) != X402_OK || version != 2) {
        json_decref(object);
        return;
    }
    challenge->header = object;
    object_read(challenge, object, object, true);
}
