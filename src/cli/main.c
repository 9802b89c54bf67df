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
    { "calibrate", "measure what this machine can do, for predictions (with mpirun or srun)",
      sp_calibrate_main },
    { "predict", "simulate the same on a cluster that needn't be there", sp_predict_main },
    { "check", "prove strategies right; count bytes, messages, FLOPs, memory", sp_check_main },
    { "show", "print the steps of a strategy: text, dot, GOAL", sp_show_main },
    { "validate", "predict what was measured, and say how wrong that is", sp_validate_main },
    { "info", "list strategies and knobs, kernels, transports, clusters, profiles", sp_info_main },
    { "topo", "show machines and clusters: devices, links, what they allow", sp_topo_main },
    { NULL, NULL, NULL }
};

static void usage(FILE *out)
{
    fprintf(out, "Usage: seqpar VERB [OPTION...]\n"
            "Measure sequence-parallel attention, forward and backward, verified; and predict "
            "it.\n\n");
    for (const struct sp_verbinfo *v = sp_verbs; v->name; v++)
        fprintf(out, "  %-9s %s\n", v->name, v->help);
    fprintf(out, "\n  seqpar VERB --help lists the options of a verb.\n");
}

static void no_such_verb(const char *name)
{
    char all[200] = "";
    for (int i = 0, at = 0; sp_verbs[i].name; i++)
        at += snprintf(all + at, sizeof all - (size_t)at, "%s%s", !i ? "" :
                       sp_verbs[i + 1].name ? ", " : " or ", sp_verbs[i].name);
    sp_stop_together(SP_EXIT_USAGE, "no verb '%s'; it must be %s", name, all);
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
        no_such_verb(argv[1]);
    return SP_EXIT_USAGE;
}
