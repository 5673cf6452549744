/* SPDX-License-Identifier: Apache-2.0 */
/* What the sub-commands share. */
#include <getopt.h>
#include <string.h>

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

static bool
spells(const char *argument, const char *name)
{
    size_t len = strlen(name);

    return strncmp(argument, "--", 2) == 0 &&
           strncmp(argument + 2, name, len) == 0 &&
           (argument[2 + len] == '\0' || argument[2 + len] == '=');
}

/* The option is the last argument that was read, or the one before its value.
 */
bool
command_is_exact(char **argv, const char *name)
{
    if (optarg != NULL && optarg == argv[optind - 1] && optind > 1)
        return spells(argv[optind - 2], name);
    return spells(argv[optind - 1], name);
}

int
command_misused(const char *name)
{
    say_error("try 'x402 %s --help'", name);
    return CLIENT_EXIT_USAGE;
}
