/* SPDX-License-Identifier: Apache-2.0 */
/* x402d's command line.  No secret ever comes in this way: /proc shows it. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <keystore.h>

#include "config.h"
#include "inspect.h"
#include "log.h"
#include "serve.h"
#include "tools/tools.h"

/* What a service manager sees: 2 will not heal by starting again. */
enum { EXIT_GOOD = 0, EXIT_TROUBLE = 1, EXIT_USAGE = 2 };

static const char help[] =
    "x402d " X402D_VERSION ": keeps the ledger of paid requests and settles "
    "them on the chain\n"
    "\n"
    "  x402d --config FILE    run, in the foreground; logs go to stderr\n"
    "  x402d check FILE       read the configuration and the key files, say "
    "what is wrong\n"
    "                         or unsafe; touches no network, but with --online "
    "asks the\n"
    "                         nodes what signers hold and who else collects\n"
    "  x402d ledger COMMAND   list, show, export and reconcile payments: "
    "x402d ledger --help\n"
    "  x402d --version\n"
    "  x402d --help\n"
    "\n"
    "Signals: TERM and INT end it, after what it holds is done (at most 8 s); "
    "HUP reads\n"
    "the configuration again: log level, API keys, payees, limits and hosts "
    "change at\n"
    "once, anything else refuses the new file.\n"
    "\n"
    "Examples:\n"
    "  cp /usr/share/doc/x402d/x402d.yaml.example /etc/x402d/x402d.yaml\n"
    "  x402d check /etc/x402d/x402d.yaml\n"
    "  x402d --config /etc/x402d/x402d.yaml\n"
    "  curl http://127.0.0.1:4022/supported\n";

static int
usage(const char *message)
{
    fprintf(stderr, "x402d: %s\nTry: x402d --help\n", message);
    return EXIT_USAGE;
}

static int
load_and(int (*run)(struct config *config, const char *path), const char *path)
{
    char error[1024];
    struct config *config = config_load(path, error, sizeof(error));
    int result;

    if (config == NULL) {
        fprintf(stderr, "x402d: %s\n", error);
        return EXIT_USAGE;
    }
    log_open(config->log_level);
    result = run(config, path);
    config_free(config);
    return result;
}

static int
check_offline(struct config *config, const char *path)
{
    return inspect(config, path, false);
}

static int
check_online(struct config *config, const char *path)
{
    return inspect(config, path, true);
}

static int
run_config(const char *path, int rest)
{
    if (path == NULL)
        return usage(rest != 0 ? "no such command" : "no --config FILE");
    if (rest != 0)
        return usage("--config FILE takes nothing else");
    return load_and(serve, path);
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"online", no_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    bool online = false;
    int option;

    if (keystore_harden_process() != KEYSTORE_OK) {
        fprintf(stderr, "x402d: cannot turn off core dumps\n");
        return EXIT_TROUBLE;
    }
    if (argc > 1 && strcmp(argv[1], "ledger") == 0)
        return tool_ledger(argc - 1, argv + 1);
    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'o':
            online = true;
            break;
        case 'V':
            puts("x402d " X402D_VERSION);
            return EXIT_GOOD;
        case 'h':
            fputs(help, stdout);
            return EXIT_GOOD;
        default:
            return usage("see above");
        }
    }
    if (path == NULL && argc - optind == 2 &&
        strcmp(argv[optind], "check") == 0)
        return load_and(online ? check_online : check_offline,
                        argv[optind + 1]);
    if (online)
        return usage("--online goes with check FILE");
    return run_config(path, argc - optind);
}
