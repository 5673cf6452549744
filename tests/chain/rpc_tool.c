/* SPDX-License-Identifier: Apache-2.0 */
/* Ask nodes from the command line, through the daemon's rpc, one line an
 * answer: what tests/chain/rpc.test.mjs drives against a scripted server.
 *
 *     rpc_tool TIMEOUT_MS CHAIN_ID ROUNDS URL[,URL...] METHOD PARAMS ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/rpc.h"
#include "core.h"
#include "log.h"

struct tool {
    struct core *core;
    struct rpc *rpc;
    char **words;
    size_t calls;
    unsigned rounds;
};

static void ask(struct tool *tool);

static void
on_closed(void *arg)
{
    (void)arg;
}

static void
print_answer(const struct rpc_answer *answer)
{
    char *text;

    switch (answer->status) {
    case RPC_RESULT:
        text = json_dumps(answer->result, JSON_COMPACT | JSON_ENCODE_ANY);
        printf("result %.200s\n", text);
        free(text);
        return;
    case RPC_ERROR:
        printf("error %lld %s\n", (long long)answer->code, answer->message);
        return;
    case RPC_UNKNOWN:
        printf("unknown\n");
        return;
    }
}

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct tool *tool = arg;

    for (size_t i = 0; i < len; i++)
        print_answer(&answers[i]);
    if (--tool->rounds > 0)
        ask(tool);
    else
        rpc_close(tool->rpc, on_closed, tool);
}

static void
ask(struct tool *tool)
{
    struct rpc_call calls[RPC_CALLS_MAX];

    for (size_t i = 0; i < tool->calls; i++)
        calls[i] = (struct rpc_call){tool->words[2 * i],
                                     strdup(tool->words[2 * i + 1]), false};
    rpc_ask(tool->rpc, calls, tool->calls, on_answers, tool);
}

int
main(int argc, char **argv)
{
    const char *urls[RPC_ENDPOINTS_MAX];
    struct rpc_options options = {.urls = urls};
    struct tool tool = {0};

    if (argc < 7)
        return 2;
    log_open("info");
    options.timeout_ms = (unsigned)atoi(argv[1]);
    if (getenv("RPC_RATE") != NULL)
        options.rate = (unsigned)atoi(getenv("RPC_RATE"));
    options.chain_id = strtoull(argv[2], NULL, 10);
    tool.rounds = (unsigned)atoi(argv[3]);
    for (char *url = strtok(argv[4], ","); url != NULL; url = strtok(NULL, ","))
        urls[options.urls_len++] = url;
    tool.words = argv + 5;
    tool.calls = (size_t)(argc - 5) / 2;
    tool.core = core_new();
    tool.rpc = rpc_new(core_loop(tool.core), &options);
    ask(&tool);
    while (tool.rounds > 0)
        uv_run(core_loop(tool.core), UV_RUN_ONCE);
    core_free(tool.core);
    return 0;
}
