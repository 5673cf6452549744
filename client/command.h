/* SPDX-License-Identifier: Apache-2.0 */
/* The sub-commands, and the little that they share.  Each takes its own
 * arguments (argv[0] is its name) and returns the process's exit code. */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include "config.h"
#include "wallet.h"

int command_get(int argc, char **argv);
int command_discover(int argc, char **argv);
int command_show(int argc, char **argv);
int command_wallet(int argc, char **argv);
int command_wallet_new(int argc, char **argv);
int command_wallet_import(int argc, char **argv);
int command_wallet_address(int argc, char **argv);
int command_wallet_balance(int argc, char **argv);
int command_wallet_lightning(int argc, char **argv);
int command_payments(int argc, char **argv);
int command_budget(int argc, char **argv);
int command_ledger(int argc, char **argv);

/** Load the configuration or say why not. */
__attribute__((warn_unused_result)) bool command_config(struct config *config);
/** The wallet file: the option, or the configured one; NULL: neither. */
const char *command_wallet_file(const char *option,
                                const struct config *config);
/** Was the long option that getopt_long has just read written in full?  Its
 *  abbreviations are not taken: a secret typed after "--password" must not be
 *  read as a file's name. */
bool command_is_exact(char **argv, const char *name);
/** "NAME: try 'x402 NAME --help'"; returns CLIENT_EXIT_USAGE. */
int command_misused(const char *name);

#endif
