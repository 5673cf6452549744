/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the configuration file, and libcyaml's complaints turned into
 * one line with file, line and what would be right.  Scalars are read as
 * strings: libcyaml takes "maybe" for true and "010" for 8. */
#include "config_file.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024

/* -- the schema -- */

#define NEEDED CYAML_FLAG_POINTER
#define MAY (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(flags, type, name)                                                \
    CYAML_FIELD_STRING_PTR(#name, flags, struct type, name, 1, TEXT_MAX)
#define MAPPING(flags, type, name, fields)                                     \
    CYAML_FIELD_MAPPING_PTR(#name, flags, struct type, name, fields)
#define LIST(flags, type, name, entry, min, max)                               \
    CYAML_FIELD_SEQUENCE(#name, flags, struct type, name, entry, min, max)

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX)};

static const cyaml_schema_field_t till_fields[] = {
    TEXT(NEEDED, file_till, socket),
    TEXT(MAY, file_till, mode),
    TEXT(MAY, file_till, group),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t rates_fields[] = {
    TEXT(MAY, file_rates, verify),
    TEXT(MAY, file_rates, settle),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t api_key_fields[] = {
    TEXT(NEEDED, file_api_key, name),
    TEXT(MAY, file_api_key, sha256),
    TEXT(MAY, file_api_key, file),
    LIST(MAY, file_api_key, payees, &text_entry, 1, CONFIG_API_KEY_PAYEES_MAX),
    LIST(MAY, file_api_key, assets, &text_entry, 1, CONFIG_API_KEY_ASSETS_MAX),
    MAPPING(MAY, file_api_key, rates, rates_fields),
    TEXT(MAY, file_api_key, gas),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t api_key_entry = {CYAML_VALUE_MAPPING(
    CYAML_FLAG_DEFAULT, struct file_api_key, api_key_fields)};

static const cyaml_schema_field_t http_fields[] = {
    TEXT(NEEDED, file_http, listen),
    TEXT(MAY, file_http, public),
    TEXT(MAY, file_http, any_payee),
    TEXT(MAY, file_http, smart_wallets),
    TEXT(MAY, file_http, attestation_key),
    LIST(MAY, file_http, hosts, &text_entry, 0, CONFIG_HOSTS_MAX),
    MAPPING(MAY, file_http, rates, rates_fields),
    LIST(MAY, file_http, keys, &api_key_entry, 1, CONFIG_API_KEYS_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t payee_fields[] = {
    TEXT(NEEDED, file_payee, network),
    TEXT(NEEDED, file_payee, address),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t payee_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_payee, payee_fields)};

static const cyaml_schema_field_t signer_fields[] = {
    TEXT(MAY, file_signer, key_file),
    TEXT(MAY, file_signer, keystore),
    TEXT(MAY, file_signer, password_file),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t signer_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_signer, signer_fields)};

static const cyaml_schema_field_t asset_fields[] = {
    TEXT(NEEDED, file_asset, symbol),
    TEXT(MAY, file_asset, address),
    TEXT(MAY, file_asset, name),
    TEXT(MAY, file_asset, version),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t asset_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_asset, asset_fields)};

static const cyaml_schema_field_t credit_fields[] = {
    TEXT(MAY, file_credit, payer),
    TEXT(MAY, file_credit, total),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t batch_fields[] = {
    TEXT(MAY, file_batch, max),
    TEXT(MAY, file_batch, wait),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t fees_fields[] = {
    TEXT(MAY, file_fees, per_gas),
    TEXT(MAY, file_fees, per_payment),
    TEXT(MAY, file_fees, per_day),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t gift_fields[] = {
    TEXT(NEEDED, file_gift, per_payer),
    TEXT(NEEDED, file_gift, per_day),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t facilitator_fields[] = {
    TEXT(NEEDED, file_facilitator, url),
    TEXT(MAY, file_facilitator, key_file),
    TEXT(MAY, file_facilitator, ca_file),
    TEXT(MAY, file_facilitator, verify_timeout),
    TEXT(MAY, file_facilitator, settle_timeout),
    TEXT(MAY, file_facilitator, verifier),
    LIST(MAY, file_facilitator, private_addresses, &text_entry, 1,
         CONFIG_RANGES_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t network_fields[] = {
    TEXT(NEEDED, file_network, network),
    MAPPING(MAY, file_network, facilitator, facilitator_fields),
    LIST(MAY, file_network, rpc, &text_entry, 0, CONFIG_RPC_MAX),
    TEXT(MAY, file_network, rpc_timeout),
    TEXT(MAY, file_network, rpc_rate),
    TEXT(MAY, file_network, rpc_agree),
    LIST(MAY, file_network, signers, &signer_entry, 0, CONFIG_SIGNERS_MAX),
    LIST(MAY, file_network, assets, &asset_entry, 0, 32),
    MAPPING(MAY, file_network, credit, credit_fields),
    MAPPING(MAY, file_network, batch, batch_fields),
    MAPPING(MAY, file_network, max_fee, fees_fields),
    MAPPING(MAY, file_network, approval_gas, gift_fields),
    LIST(MAY, file_network, eip6492_factories, &text_entry, 0,
         CONFIG_FACTORIES_MAX),
    TEXT(MAY, file_network, confirmations),
    TEXT(MAY, file_network, poll),
    TEXT(MAY, file_network, verify_reuse),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t network_entry = {CYAML_VALUE_MAPPING(
    CYAML_FLAG_DEFAULT, struct file_network, network_fields)};

static const cyaml_schema_field_t peer_fields[] = {
    TEXT(MAY, file_peer, per_minute),
    TEXT(MAY, file_peer, burst),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t rate_fields[] = {
    TEXT(MAY, file_rate, fixed), TEXT(MAY, file_rate, url),
    TEXT(MAY, file_rate, field), TEXT(MAY, file_rate, max_age),
    TEXT(MAY, file_rate, every), CYAML_FIELD_END,
};

static const cyaml_schema_field_t lightning_fields[] = {
    TEXT(NEEDED, file_lightning, lnd),
    TEXT(NEEDED, file_lightning, macaroon),
    TEXT(NEEDED, file_lightning, cert),
    TEXT(NEEDED, file_lightning, network),
    TEXT(MAY, file_lightning, secret),
    TEXT(MAY, file_lightning, timeout),
    TEXT(MAY, file_lightning, outstanding),
    MAPPING(MAY, file_lightning, peer, peer_fields),
    MAPPING(MAY, file_lightning, rate, rate_fields),
    TEXT(MAY, file_lightning, private_channels),
    TEXT(MAY, file_lightning, invoice_only),
    TEXT(MAY, file_lightning, admin_macaroon),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t bazaar_fields[] = {
    TEXT(MAY, file_bazaar, file),
    TEXT(MAY, file_bazaar, recheck),
    LIST(MAY, file_bazaar, allow, &text_entry, 0, CONFIG_BAZAAR_ALLOW_MAX),
    TEXT(MAY, file_bazaar, register_at),
    TEXT(MAY, file_bazaar, register_key),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t file_fields[] = {
    TEXT(NEEDED, file, ledger),
    MAPPING(MAY, file, till, till_fields),
    MAPPING(MAY, file, http, http_fields),
    MAPPING(MAY, file, lightning, lightning_fields),
    MAPPING(MAY, file, bazaar, bazaar_fields),
    TEXT(MAY, file, status),
    TEXT(MAY, file, log),
    TEXT(MAY, file, settle_margin),
    LIST(MAY, file, payees, &payee_entry, 0, CONFIG_PAYEES_MAX),
    LIST(NEEDED, file, networks, &network_entry, 1, CONFIG_NETWORKS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields)};

/* -- complaints -- */

__attribute__((format(printf, 4, 0))) static void
complain(struct config_reading *reading, unsigned line, const char *place,
         const char *format, va_list args)
{
    size_t used;

    if (reading->failed)
        return;
    reading->failed = true;
    snprintf(reading->error, reading->error_len, "%s:%u: %s%s", reading->path,
             line, place, *place != '\0' ? ": " : "");
    used = strlen(reading->error);
    vsnprintf(reading->error + used, reading->error_len - used, format, args);
}

bool
config_complain(struct config_reading *reading, const char *place,
                const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(reading, config_line_of(reading, place), place, format, args);
    va_end(args);
    return false;
}

bool
config_complain_at(struct config_reading *reading, unsigned line,
                   const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(reading, line, "", format, args);
    va_end(args);
    return false;
}

/* -- libcyaml's log: "Load: <what>", "Load: Backtrace:", then one line per
 * level from the inside out: "  in mapping field 'rpc' (line: 3, column: 5)" */

#define LEVELS_MAX 8

struct said {
    char what[256];
    unsigned line;
    char field[LEVELS_MAX][32]; /* innermost first */
    unsigned fields;
};

static void
note_level(struct said *said, const char *text)
{
    const char *line = strstr(text, "(line: ");
    const char *field = strstr(text, "mapping field '");

    if (line != NULL && said->line == 0)
        said->line = (unsigned)strtoul(line + 7, NULL, 10);
    if (field != NULL && said->fields < LEVELS_MAX) {
        field += strlen("mapping field '");
        snprintf(said->field[said->fields++], sizeof(said->field[0]), "%.*s",
                 (int)strcspn(field, "'"), field);
    }
}

__attribute__((format(printf, 3, 0))) static void
listen_to_cyaml(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
    struct said *said = ctx;
    char text[512];

    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    if (strncmp(text, "  in ", 5) == 0)
        note_level(said, text);
    else if (said->what[0] == '\0' && strncmp(text, "Load: ", 6) == 0 &&
             strcmp(text, "Load: Backtrace:") != 0)
        snprintf(said->what, sizeof(said->what), "%.255s", text + 6);
}

/** The keys that are known where libcyaml stopped. */
static const cyaml_schema_field_t *
known_fields(const struct said *said)
{
    const cyaml_schema_field_t *fields = file_fields;

    for (unsigned i = said->fields; i-- > 0;) {
        const cyaml_schema_field_t *at = fields;
        const cyaml_schema_value_t *value;

        while (at->key != NULL && strcmp(at->key, said->field[i]) != 0)
            at++;
        if (at->key == NULL)
            return fields;
        value = &at->value;
        if (value->type == CYAML_SEQUENCE)
            value = value->sequence.entry;
        if (value->type != CYAML_MAPPING)
            return fields;
        fields = value->mapping.fields;
    }
    return fields;
}

static void
list_keys(char *out, size_t len, const cyaml_schema_field_t *fields)
{
    size_t used = 0;

    out[0] = '\0';
    for (; fields->key != NULL && used + 1 < len; fields++) {
        snprintf(out + used, len - used, "%s%s", used != 0 ? ", " : "",
                 fields->key);
        used += strlen(out + used);
    }
}

/** libcyaml names the mapping (or the field before) when a key is unknown. */
static void
complain_unknown_key(struct config_reading *reading, const struct said *said)
{
    const char *key = said->what + strlen("Unexpected key: ");
    char known[256];

    list_keys(known, sizeof(known), known_fields(said));
    config_complain_at(
        reading,
        config_line_of_key(reading, key, said->line != 0 ? said->line : 1),
        "unknown key \"%s\"; known here: %s", key, known);
}

/** In a person's words; NULL: libcyaml's own will do. */
static const char *
what_is_wrong(const char *what, cyaml_err_t err)
{
    static const struct {
        const char *begin;
        const char *words;
    } rows[] = {
        {"Expecting STRING", "write one value here"},
        {"Expecting SEQUENCE", "write a list here, such as [one, two]"},
        {"Expecting MAPPING", "write keys and values here"},
        {"Insufficient entries", "at least one entry is needed"},
        {"Excessive entries", "too many entries"},
        {"STRING length", "a value has 1 to 1024 characters; leave the key out "
                          "for its default"},
    };

    if (err == CYAML_ERR_ALIAS)
        return "aliases are not read; write the value out";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strncmp(what, rows[i].begin, strlen(rows[i].begin)) == 0)
            return rows[i].words;
    }
    return NULL;
}

/** The message never quotes a value: it could be a secret in the wrong place.
 */
static void
complain_cyaml(struct config_reading *reading, const struct said *said,
               cyaml_err_t err)
{
    const char *what = said->what[0] != '\0' ? said->what : cyaml_strerror(err);
    const char *words = what_is_wrong(what, err);
    const char *field = said->fields != 0 ? said->field[0] : "";
    unsigned line = said->line != 0 ? said->line : 1;

    if (strncmp(what, "Unexpected key: ", 16) == 0)
        complain_unknown_key(reading, said);
    else if (strncmp(what, "Mapping field already seen: ", 28) == 0)
        config_complain_at(reading,
                           config_line_of_key(reading, what + 28, line + 1),
                           "the key \"%s\" stands here twice", what + 28);
    else if (err == CYAML_ERR_MAPPING_FIELD_MISSING)
        config_complain_at(reading, line, "the key \"%s\" is missing here",
                           strrchr(what, ' ') + 1);
    else if (err == CYAML_ERR_LIBYAML_PARSER)
        config_complain_at(reading, line, "not well-formed YAML: %s", what);
    else
        config_complain_at(reading, line, "%s%s%s", field,
                           *field != '\0' ? ": " : "",
                           words != NULL ? words : cyaml_strerror(err));
}

static bool
is_blank(const struct config_reading *reading)
{
    return strspn(reading->text, " \t\r\n-") == reading->text_len;
}

struct file *
file_parse(struct config_reading *reading)
{
    struct said said = {.line = 0};
    const cyaml_config_t config = {
        .log_fn = listen_to_cyaml,
        .log_ctx = &said,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    struct file *file = NULL;
    unsigned second;
    cyaml_err_t err;

    if (is_blank(reading)) {
        config_complain_at(reading, 1, "the file is empty");
        return NULL;
    }
    err = cyaml_load_data((const uint8_t *)reading->text, reading->text_len,
                          &config, &file_schema, (cyaml_data_t **)&file, NULL);
    if (err != CYAML_OK) {
        complain_cyaml(reading, &said, err);
        return NULL;
    }
    second = config_line_of_second(reading);
    if (file == NULL)
        config_complain_at(reading, 1, "the file holds no settings");
    else if (second != 0)
        config_complain_at(reading, second,
                           "a second YAML document begins here; keep one");
    if (!reading->failed)
        return file;
    file_free(file);
    return NULL;
}

void
file_free(struct file *file)
{
    const cyaml_config_t config = {
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };

    if (file != NULL)
        cyaml_free(&config, &file_schema, file, 0);
}
