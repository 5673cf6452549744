/* SPDX-License-Identifier: Apache-2.0 */
/* What the sub-commands share. */
#include "command.h"
#include "exit.h"

bool
command_config(struct config *config)
{
    char error[CONFIG_ERROR_MAX];

    if (config_load(config, error))
        return true;
    say_error("%s", error);
    return false;
}

const char *
command_wallet_file(const char *option, const struct config *config)
{
    if (option != NULL)
        return option;
    return config->wallet[0] == '\0' ? NULL : config->wallet;
}

int
command_misused(const char *name)
{
    say_error("try 'x402 %s --help'", name);
    return CLIENT_EXIT_USAGE;
}
