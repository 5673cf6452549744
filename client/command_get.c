/* SPDX-License-Identifier: Apache-2.0 */
/* x402 get */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "get_options.h"
#include "show.h"

/* With --json and no -o the answer goes into the report.  A body that does not
 * fit there must not be lost after it was paid for: the run says so. */
static int
report(struct fetch_result *result, struct output *output,
       const struct get_options *options, const struct config *config)
{
    bool ok = output_end(output);

    if (output->capture_cut && result->exit == CLIENT_EXIT_OK) {
        result->exit = CLIENT_EXIT_WRITE;
        (void)snprintf(result->reason, sizeof(result->reason),
                       "the answer is larger than %d bytes: it is cut; use -o "
                       "with --json",
                       OUTPUT_CAPTURE_MAX);
    }
    if (options->json)
        ok = show_json(result, output) && ok;
    else if (options->fetch.dry_run && result->has_offer)
        show_offer(result, options, config);
    else if (options->fetch.dry_run && result->lightning.set)
        show_lightning(result, options);
    show_end(result, options);
    if (!ok && result->exit == CLIENT_EXIT_OK)
        return CLIENT_EXIT_WRITE;
    return result->exit;
}

static int
run(const struct get_options *options, const struct config *config)
{
    /* large: a record holds the payment as it was sent */
    struct fetch_result *result = malloc(sizeof(*result));
    struct output output;
    int code;

    if (result == NULL) {
        say_error("no memory");
        return CLIENT_EXIT_USAGE;
    }
    output_begin(&output, options->output, options->include,
                 options->json && options->output == NULL);
    fetch_run(result, &options->fetch, &output, &options->say);
    code = report(result, &output, options, config);
    blob_free(&output.captured);
    free(result);
    return code;
}

int
command_get(int argc, char **argv)
{
    struct config *config = malloc(sizeof(*config));
    struct get_options *options = malloc(sizeof(*options));
    int code = CLIENT_EXIT_USAGE;

    if (config == NULL || options == NULL) {
        say_error("no memory");
    } else if (command_config(config)) {
        code = (int)get_options_read(options, config, argc, argv);
        if (code != CLIENT_EXIT_OK)
            (void)command_misused("get");
        else if (options->help)
            fputs(get_help, stdout);
        else
            code = run(options, config);
        get_options_free(options);
    }
    free(options);
    free(config);
    return code;
}
