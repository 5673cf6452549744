/* SPDX-License-Identifier: Apache-2.0 */
/* x402 ledger: the operator's tool is part of x402d, which knows the ledger;
 * this hands over to it, so that there is one command to remember. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "exit.h"
#include "terminal.h"

/** The one that was installed with us, if there is one. */
static bool
beside_us(char out[PATH_MAX])
{
    static const char name[] = "x402d";
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - sizeof(name));
    char *slash;

    if (len <= 0)
        return false;
    out[len] = '\0';
    slash = strrchr(out, '/');
    if (slash == NULL)
        return false;
    memcpy(slash + 1, name, sizeof(name));
    return access(out, X_OK) == 0;
}

int
command_ledger(int argc, char **argv)
{
    char path[PATH_MAX];
    char **args = calloc((size_t)argc + 2, sizeof(*args));

    if (args == NULL)
        return CLIENT_EXIT_STATE;
    args[0] = (char *)"x402d";
    args[1] = (char *)"ledger";
    for (int i = 1; i < argc; i++)
        args[1 + i] = argv[i];
    if (beside_us(path))
        execv(path, args);
    else
        execvp("x402d", args);
    say_error("x402d, which keeps the ledger, cannot be started: %s",
              strerror(errno));
    free(args);
    return CLIENT_EXIT_STATE;
}
