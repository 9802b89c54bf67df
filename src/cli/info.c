/* info.c - `seqpar info`: what this build has to choose from. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"
#include "commit.h"
#include "config.h"
#include "kernels/kernels.h"
#include "strategy/strategy.h"
#include "transport/transport.h"
#include "util/data.h"
#include "util/stop.h"

static void knob(const struct sp_strategy *s, const struct sp_knob *k)
{
    char name[64], range[96] = "";
    snprintf(name, sizeof name, "%s.%s", s->name, k->name);
    if (!k->choice)
        snprintf(range, sizeof range, "%d..%d", k->min, k->max);
    for (int i = 0, at = 0; k->choice && k->choice[i]; i++)
        at += snprintf(range + at, sizeof range - (size_t)at, "%s%s", i ? "|" : "", k->choice[i]);
    printf("    %-18s %-10s ", name, range);
    if (k->fallback == SP_AUTO)
        printf("%-6s", "auto");
    else if (k->choice)
        printf("%-6s", k->choice[k->fallback]);
    else
        printf("%-6d", k->fallback);
    printf(" %s\n", k->help);
}

static int column;

static void tell(const char *name)
{
    int width = (int)strlen(name) + 1;
    if (column == 0 || column + width > 90)
        column = printf("%s  %s", column ? "\n" : "", name) - !!column;
    else
        column += printf(" %s", name);
}

static void list_data(const char *title, const char *folder, const char *ending)
{
    column = 0;
    printf("\n%s:\n", title);
    sp_data_list(folder, ending, tell);
    printf(column ? "\n" : "  none is found; they lie in topologies/, or where SEQPAR_DATA says\n");
}

int sp_info_main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--help")) {
        printf("Usage: seqpar info\nList strategies and their knobs, kernels and transports of "
               "this build, and the\nclusters, machines and profiles that come with it.\n");
        return SP_EXIT_OK;
    }
    if (argc > 1)
        sp_stop_together(SP_EXIT_USAGE, "info takes no options, but got '%s'", argv[1]);
    printf("seqpar %s (%s)\n\nstrategies and their knobs (values, default):\n", PACKAGE_VERSION,
           SP_COMMIT);
    for (int i = 0; sp_strategies[i]; i++) {
        const struct sp_strategy *s = sp_strategies[i];
        printf("  %-10s %s\n", s->name, s->help);
        for (int j = 0; s->knobs[j].name; j++)
            knob(s, &s->knobs[j]);
    }
    printf("\nkernels:\n");
    for (int i = 0; sp_kernel_sets[i]; i++) {
        const char *why;
        const struct sp_kernels *k = sp_kernel_sets[i];
        bool works = sp_kernels_find(k->name, &why);
        printf("  %-10s %s%s\n", k->name, k->help, works ? "" : " (not on this processor)");
    }
    printf("\ntransports:\n");
    for (int i = 0; sp_transports[i]; i++)
        printf("  %-10s %s\n", sp_transports[i]->name, sp_transports[i]->help);
    list_data("clusters, for --cluster and topo show", ".", ".cluster");
    list_data("machines, for the same and for cluster files", ".", ".xml");
    list_data("profiles, for --profile", "profiles", ".json");
    return SP_EXIT_OK;
}
