/* main.c - seqpar VERB OPTIONS. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"
#include "config.h"
#include "transport/launcher.h"
#include "util/stop.h"

const struct sp_verbinfo sp_verbs[] = {
    { "run", "measure attention under each strategy, verified (with mpirun or srun)", sp_run_main },
    { "check", "prove strategies right; count bytes, messages, FLOPs, memory", sp_check_main },
    { "show", "print the steps of a strategy: text, dot, GOAL", sp_show_main },
    { "info", "list strategies and their knobs, kernels, transports", sp_info_main },
    { "topo", "show machines and clusters: devices, links, what they allow", sp_topo_main },
    { NULL, NULL, NULL }
};

static void usage(FILE *out)
{
    fprintf(out, "Usage: seqpar VERB [OPTION...]\n"
            "Measure sequence-parallel attention, forward and backward, verified.\n\n");
    for (const struct sp_verbinfo *v = sp_verbs; v->name; v++)
        fprintf(out, "  %-8s %s\n", v->name, v->help);
    fprintf(out, "\n  seqpar VERB --help lists the options of a verb.\n");
}

int main(int argc, char **argv)
{
    if (sp_launched_rank() > 0)
        sp_stop_listen();
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
        usage(stdout);
        return SP_EXIT_OK;
    }
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        printf("seqpar %s\n", PACKAGE_VERSION);
        return SP_EXIT_OK;
    }
    for (const struct sp_verbinfo *v = sp_verbs; argc > 1 && v->name; v++)
        if (!strcmp(argv[1], v->name))
            return v->run(argc - 1, argv + 1);
    if (argc < 2)
        usage(stderr);
    else
        sp_stop_together(SP_EXIT_USAGE, "no verb '%s'; it must be run, check, show, info or topo",
                         argv[1]);
    return SP_EXIT_USAGE;
}
