/* SPDX-License-Identifier: Apache-2.0 */
/* The bazaar section. */
#include <stdio.h>
#include <string.h>

#include "config_check.h"

/* Beside the ledger, unless said otherwise. */
static bool
take_file(struct config_checking *c, const char *text)
{
    char beside[4096];

    if (text == NULL) {
        snprintf(beside, sizeof(beside), "%.4000s.bazaar",
                 c->config->ledger_file);
        text = beside;
    }
    if (!config_take_path(c, "bazaar.file", text, &c->config->bazaar.file))
        return false;
    return strcmp(c->config->bazaar.file, c->config->ledger_file) != 0 ||
           config_complain(c->reading, "bazaar.file",
                           "the catalogue cannot be in the ledger's file");
}

static bool
take_allow(struct config_checking *c, const struct file_bazaar *in)
{
    struct config_bazaar *out = &c->config->bazaar;

    for (unsigned i = 0; i < in->allow_count; i++) {
        char place[32];

        snprintf(place, sizeof(place), "bazaar.allow[%u]", i);
        if (!guard_range_parse(&out->allow[i], in->allow[i]))
            return config_complain(c->reading, place,
                                   "\"%.60s\": write an address or a network, "
                                   "such as 127.0.0.1 or 10.1.0.0/16",
                                   in->allow[i]);
        out->allow_len = i + 1;
    }
    return true;
}

static bool
take_register(struct config_checking *c, const struct file_bazaar *in)
{
    struct config_bazaar *out = &c->config->bazaar;

    if ((in->register_at == NULL) != (in->register_key == NULL))
        return config_complain(c->reading, "bazaar",
                               "register_at and register_key belong together: "
                               "where, and the payee's key that signs for it");
    if (in->register_at == NULL)
        return true;
    if (!config_is_url(in->register_at) ||
        config_is_plain_remote(in->register_at))
        return config_complain(c->reading, "bazaar.register_at",
                               "write the https URL of a Bazaar, without "
                               "/register");
    out->register_at = config_keep(c, in->register_at);
    return out->register_at != NULL &&
           config_take_path(c, "bazaar.register_key", in->register_key,
                            &out->register_key_file);
}

bool
config_check_bazaar(struct config_checking *c)
{
    const struct file_bazaar *in = c->file->bazaar;

    if (in == NULL)
        return true;
    if (c->file->http == NULL)
        return config_complain(c->reading, "bazaar",
                               "a Bazaar needs http: nobody could read it");
    c->config->bazaar.recheck = true;
    return take_file(c, in->file) &&
           config_take_bool(c, "bazaar.recheck", in->recheck,
                            &c->config->bazaar.recheck) &&
           take_allow(c, in) && take_register(c, in);
}
