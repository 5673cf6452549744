/* SPDX-License-Identifier: Apache-2.0 */
/* x402 wallet lightning: is the node that pays there, and who is it? */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "exit.h"

static int
describe(const struct config *config)
{
    struct lnd *lnd = lnd_open(&config->lnd);
    char text[256], limit[LN_BUDGET_TEXT_MAX];
    bool ok = lnd != NULL && lnd_describe(text, lnd);

    lnd_close(lnd);
    if (!ok)
        return lnd == NULL ? CLIENT_EXIT_WALLET : CLIENT_EXIT_RECEIVE;
    ln_budget_format(limit, &config->ln.budget[0]);
    printf("%s, %s\nbudget %s\n", text, x402_ln_name(config->lnd.network),
           limit);
    return CLIENT_EXIT_OK;
}

int
command_wallet_lightning(int argc, char **argv)
{
    struct config *config;
    int code = CLIENT_EXIT_USAGE;

    (void)argv;
    if (argc != 1)
        return command_misused("wallet");
    config = malloc(sizeof(*config));
    if (config != NULL && command_config(config))
        code = describe(config);
    free(config);
    return code;
}
