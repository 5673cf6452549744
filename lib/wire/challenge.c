/* SPDX-License-Identifier: Apache-2.0 */
/* A 402 as a client reads it: every wire it speaks, in order of preference. */
#include <stdlib.h>
#include <string.h>

#include "challenge.h"

char *
challenge_dump(const json_t *value)
{
    size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT);
    char *text;

    if (value == NULL || len == 0)
        return NULL;
    text = malloc(len + 1);
    if (text == NULL)
        return NULL;
    json_dumpb(value, text, len, JSON_COMPACT);
    text[len] = '\0';
    return text;
}

void
challenge_add(struct x402_challenge *challenge,
              const struct x402_choice *choice, char *accepted)
{
    if (challenge->choices == CHALLENGE_CHOICES_MAX) {
        challenge->skipped++;
        free(accepted);
        return;
    }
    challenge->choice[challenge->choices] = *choice;
    challenge->accepted[challenge->choices] = accepted;
    challenge->choices++;
}

enum x402_err
x402_challenge_read(struct x402_challenge **out,
                    const struct x402_challenge_input *in)
{
    struct x402_challenge *challenge = calloc(1, sizeof(*challenge));

    if (challenge == NULL)
        return X402_ERR_INTERNAL;
    challenge_read_header(challenge, in->payment_required);
    challenge_read_body(challenge, in->body);
    challenge_read_seed001(challenge, in);
    if (challenge->choices == 0 && challenge->skipped == 0) {
        x402_challenge_free(challenge);
        return X402_ERR_SYNTAX;
    }
    *out = challenge;
    return X402_OK;
}

void
x402_challenge_free(struct x402_challenge *challenge)
{
    if (challenge == NULL)
        return;
    for (size_t i = 0; i < challenge->choices; i++)
        free(challenge->accepted[i]);
    free(challenge->resource_json);
    free(challenge->extensions_json);
    json_decref(challenge->header);
    json_decref(challenge->body);
    free(challenge);
}

size_t
x402_challenge_choices(const struct x402_challenge *challenge,
                       const struct x402_choice **out)
{
    *out = challenge->choice;
    return challenge->choices;
}

size_t
x402_challenge_skipped(const struct x402_challenge *challenge)
{
    return challenge->skipped;
}

struct x402_span
x402_challenge_resource(const struct x402_challenge *challenge)
{
    return challenge->resource;
}

struct x402_span
x402_challenge_error(const struct x402_challenge *challenge)
{
    return challenge->error;
}

struct x402_payment_echo
x402_challenge_echo(const struct x402_challenge *challenge,
                    const struct x402_choice *choice)
{
    struct x402_payment_echo echo = {0};

    if (choice->wire == X402_WIRE_V2) {
        echo.accepted_json = choice->accepted_json;
        echo.resource_json = x402_span_of(challenge->resource_json);
        echo.extensions_json = x402_span_of(challenge->extensions_json);
    }
    if (choice->wire == X402_WIRE_SEED001)
        echo.resource_url = challenge->resource;
    return echo;
}
