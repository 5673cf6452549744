/* SPDX-License-Identifier: Apache-2.0 */
/* The gas sponsoring extensions of a 402: "we take this along", with the shape
 * of what the client puts into its payment.
 * Source: specs/extensions/eip2612_gas_sponsoring.md, erc20_gas_sponsoring.md;
 * the descriptions are left out, for clients echo all this. */
#include "discovery.h"

#define ADDRESS "^0x[a-fA-F0-9]{40}$"
#define NUMBER "^[0-9]+$"
#define HEX "^0x[a-fA-F0-9]+$"
#define VERSION "^[0-9]+(\\.[0-9]+)*$"

struct field {
    const char *name, *pattern;
};

static const struct field permit[] = {
    {"from", ADDRESS},  {"asset", ADDRESS},   {"spender", ADDRESS},
    {"amount", NUMBER}, {"nonce", NUMBER},    {"deadline", NUMBER},
    {"signature", HEX}, {"version", VERSION}, {NULL, NULL},
};
static const struct field approval[] = {
    {"from", ADDRESS},  {"asset", ADDRESS},         {"spender", ADDRESS},
    {"amount", NUMBER}, {"signedTransaction", HEX}, {"version", VERSION},
    {NULL, NULL},
};

static json_t *
schema_of(const struct field *fields)
{
    json_t *properties = json_object(), *required = json_array(), *schema;
    bool good = properties != NULL && required != NULL;

    for (; good && fields->name != NULL; fields++) {
        good = discovery_set(properties, fields->name,
                             json_pack("{s:s,s:s}", "type", "string", "pattern",
                                       fields->pattern)) &&
               json_array_append_new(required, json_string(fields->name)) == 0;
    }
    schema = json_pack("{s:s,s:s}", "$schema",
                       "https://json-schema.org/draft/2020-12/schema", "type",
                       "object");
    good = discovery_set(schema, "properties", properties) && good;
    good = discovery_set(schema, "required", required) && good;
    return discovery_done(schema, good);
}

const char *
x402_sponsoring_name(enum x402_sponsor_kind kind)
{
    return kind == X402_SPONSOR_EIP2612 ? "eip2612GasSponsoring"
                                        : "erc20ApprovalGasSponsoring";
}

json_t *
x402_sponsoring_extension(enum x402_sponsor_kind kind)
{
    bool by_permit = kind == X402_SPONSOR_EIP2612;
    json_t *object = json_pack(
        "{s:{s:s,s:s}}", "info", "description",
        by_permit ? "A signed EIP-2612 permit for Permit2 is taken along."
                  : "A signed approve() for Permit2 is broadcast.",
        "version", "1");

    return discovery_done(
        object, discovery_set(object, "schema",
                              schema_of(by_permit ? permit : approval)));
}
