/* topo.c - `seqpar topo`: what a machine or a cluster is made of, and how fast it can be. */
/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/topo_plot.h"
#include "cli/topo_verbs.h"
#include "cli/venue.h"
#include "cli/verbs.h"
#include "topo/bound.h"
#include "topo/topo.h"
#include "util/stop.h"

/* All-to-alls of more are not added up: it would take seconds. */
enum { MOST_COLUMNS = 16, MOST_RANKS = 1152, MOST_NICS = 8, PLOT = 256 };

static double giga(double rate) { return rate / 1e9; }

/* A name without its node, which is said already. */
static const char *local(const char *name)
{
    const char *slash = strchr(name, '/');
    return slash ? slash + 1 : name;
}

static const char *one_or_more(int n, const char *one, const char *more)
{
    return n == 1 ? one : more;
}

/* ---- the whole --------------------------------------------------------------------------- */

static void show_machines(const struct sp_topo *t)
{
    printf("%s: %d %s, %d ranks\n", t->name, t->nnodes, one_or_more(t->nnodes, "node", "nodes"),
           t->nendpoints);
    for (int i = 0; i < t->nmachines; i++) {
        const struct sp_machine *m = &t->machine[i];
        int nodes = 0;
        for (int n = 0; n < t->nnodes; n++)
            nodes += t->node[n].machine == i;
        printf("  %d x %s: ", nodes, m->name);
        if (m->gpus)
            printf("%d %s (%s), ", m->gpus, one_or_more(m->gpus, "GPU", "GPUs"), m->gpu);
        printf("%d %s", m->processors, one_or_more(m->processors, "core", "cores"));
        printf(*m->cpu ? " (%s)\n" : "\n", m->cpu);
    }
    int of[SP_NVERTEX_KINDS] = { 0 };
    for (int v = 0; v < t->nvertices; v++)
        of[t->vertex[v].kind]++;
    if (of[SP_LEAF] + of[SP_SPINE])
        printf("  %d leaf and %d spine switches\n", of[SP_LEAF], of[SP_SPINE]);
}

static bool alike(const struct sp_link *a, const struct sp_link *b)
{
    return a->kind == b->kind && a->rate == b->rate && a->cables == b->cables
        && !strcmp(a->source, b->source);
}

/* Each kind of links, rate and source once; latency: of the slower direction. */
static void show_links(const struct sp_topo *t)
{
    enum { MOST = 24 };
    int kind[MOST], count[MOST], kinds = 0, others = 0;
    for (int i = 0; i < t->nlinks; i += 2) {
        int k = 0;
        while (k < kinds && !alike(&t->link[i], &t->link[kind[k]]))
            k++;
        if (k == MOST) {
            others++;
            continue;
        }
        if (k == kinds) {
            kind[kinds] = i;
            count[kinds++] = 0;
        }
        count[k]++;
    }
    printf("\nlinks          number   GB/s    of   us     rate from\n");
    for (int k = 0; k < kinds; k++) {
        const struct sp_link *l = &t->link[kind[k]];
        double latency = fmax(l->latency, l[1].latency);
        printf("  %-10s %8d %7.4g  %4d   %-5.3g  %s\n", sp_link_names[l->kind], count[k],
               giga(l->rate), l->cables, latency * 1e6, l->source);
    }
    if (others)
        printf("  and %d of other rates\n", others);
    printf("  (nominal rates of one direction; of: cables, one of which a message gets)\n");
}

/* What a message crosses; a link of the vendor's own by its name. */
static const char *way_name(const struct sp_topo *t, const struct sp_route *r)
{
    return r->class == SP_PATH_NVLINK && r->n ? sp_link_names[t->link[r->hop[0].link].kind]
                                              : sp_path_names[r->class];
}

/* ---- the first node ---------------------------------------------------------------------- */

static void show_matrix(const struct sp_topo *t)
{
    const struct sp_node *n = &t->node[0];
    int shown = n->endpoints < MOST_COLUMNS ? n->endpoints : MOST_COLUMNS;
    printf("\nfrom, to (GB/s of one message) in %s\n          ", n->name);
    for (int j = 0; j < shown; j++)
        printf(" %11s", local(t->vertex[t->endpoint[n->first + j]].name));
    printf("\n");
    for (int i = 0; i < shown; i++) {
        printf("  %-8s", local(t->vertex[t->endpoint[n->first + i]].name));
        for (int j = 0; j < shown; j++) {
            struct sp_route r;
            char cell[32] = "-";
            sp_topo_route(t, n->first + i, n->first + j, &r);
            if (i != j)
                snprintf(cell, sizeof cell, "%s %.4g", way_name(t, &r), giga(r.cap));
            printf(" %11s", cell);
        }
        printf("\n");
    }
    if (shown < n->endpoints)
        printf("  and %d more\n", n->endpoints - shown);
}

static void show_nics(const struct sp_topo *t)
{
    const struct sp_node *n = &t->node[0];
    int nic[MOST_NICS], shown = n->endpoints < MOST_COLUMNS ? n->endpoints : MOST_COLUMNS;
    if (!sp_topo_nics(t, n->first, nic, MOST_NICS))
        return;
    printf("\nNICs of %s\n", n->name);
    for (int i = 0; i < shown; i++) {
        int nics = sp_topo_nics(t, n->first + i, nic, MOST_NICS);
        printf("  %-8s ", local(t->vertex[t->endpoint[n->first + i]].name));
        for (int k = 0; k < nics && k < MOST_NICS; k++)
            printf(" %s", local(t->vertex[nic[k]].name));
        printf(nics > MOST_NICS ? " and %d more\n" : "\n", nics - MOST_NICS);
    }
}

/* ---- between nodes, and patterns --------------------------------------------------------- */

static void show_route(const struct sp_topo *t, int from, int to)
{
    struct sp_route r;
    sp_topo_route(t, from, to, &r);
    printf("  %s to %s: %s, %.4g GB/s, %.3g us, over", t->vertex[t->endpoint[from]].name,
           t->vertex[t->endpoint[to]].name, way_name(t, &r), giga(r.cap),
           r.latency * 1e6);
    int shown = 0;
    for (int i = 0; i < r.n; i++)
        if (t->link[r.hop[i].link].to != t->endpoint[to] && shown++ < 10)
            printf(" %s", t->vertex[t->link[r.hop[i].link].to].name);
    printf(shown > 10 ? " ...\n" : "\n");
}

static void show_between(const struct sp_topo *t)
{
    if (t->nnodes < 2)
        return;
    const struct sp_node *a = &t->node[0], *z = &t->node[t->nnodes - 1];
    printf("\nbetween nodes\n");
    show_route(t, a->first, z->first);
    if (z->endpoints > 1)
        show_route(t, a->first, z->first + 1);
}

static void show_bound(const struct sp_topo *t, enum sp_pattern pattern, int ranks,
                       const char *name)
{
    struct sp_bound b = sp_bound(t, pattern, ranks);
    if (b.link < 0)
        return;
    const struct sp_link *l = &t->link[b.link];
    printf("  %-11s %7.4g GB/s a rank; fullest is %s %s to %s\n", name, giga(b.rate),
           sp_link_names[l->kind], t->vertex[l->from].name, t->vertex[l->to].name);
}

static void show_bounds(const struct sp_topo *t)
{
    int ranks = t->nendpoints < MOST_RANKS ? t->nendpoints : MOST_RANKS;
    if (t->nendpoints < 2)
        return;
    printf("\nat best, each rank sending as much");
    if (ranks < t->nendpoints)
        printf(" (all-to-all: the first %d)", ranks);
    printf("\n");
    show_bound(t, SP_PATTERN_RING, t->nendpoints, "ring");
    show_bound(t, SP_PATTERN_ALLTOALL, ranks, "all-to-all");
}

/* ---- the command ------------------------------------------------------------------------- */

struct request { const char *file, *plot; };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct request *r = state->input;
    switch (key) {
    case PLOT:
        r->plot = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (r->file)
            sp_stop_together(SP_EXIT_USAGE, "topo show takes one file, but got '%s' too", arg);
        r->file = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        sp_stop_together(SP_EXIT_USAGE, "topo show needs a cluster file, a machine's XML, or - "
                         "for this machine");
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* argp would say the same in two lines. */
static void check_names(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1] || !strcmp(argv[i], "--help")
            || !strcmp(argv[i], "--usage") || !strncmp(argv[i], "--plot=", 7))
            continue;
        if (strcmp(argv[i], "--plot"))
            sp_stop_together(SP_EXIT_USAGE, "unknown option '%s'; seqpar topo show --help lists "
                             "them", argv[i]);
        if (++i == argc)
            sp_stop_together(SP_EXIT_USAGE, "--plot: needs a value, how its files' names begin");
    }
}

static void plot(const struct sp_topo *t, const char *prefix)
{
    const char *note, *why = sp_topo_plot(t, prefix, &note);
    if (why)
        sp_stop_together(SP_EXIT_ENVIRONMENT, "--plot: %s", why);
    if (note)
        fprintf(stderr, "seqpar: note: %s\n", note);
    else
        printf("\n%s.svg is drawn\n", prefix);
}

static int show_main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        { "plot", PLOT, "PREFIX", 0, "draw it, too: PREFIX.dat, PREFIX.gp and, with gnuplot, "
          "PREFIX.svg", 0 },
        { 0 }
    };
    static const struct argp argp = {
        options, parse, "FILE",
        "Show what a cluster file, or a machine's hwloc XML, describes (- is this machine).",
        NULL, NULL, NULL };
    static char name[] = "seqpar topo show";
    struct request r = { 0 };
    const char *why;
    check_names(argc, argv);
    argv[0] = name;
    argp_err_exit_status = SP_EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &r);
    struct sp_topo *t = sp_venue_topo(r.file, &why);
    if (!t)
        sp_stop_together(SP_EXIT_ENVIRONMENT, "%s", why);
    show_machines(t);
    show_links(t);
    show_matrix(t);
    show_nics(t);
    show_between(t);
    show_bounds(t);
    if (r.plot)
        plot(t, r.plot);
    sp_topo_free(t);
    return SP_EXIT_OK;
}

static const struct sp_verbinfo subverbs[] = {
    { "show", "devices, links, ways and bounds of a cluster or machine", show_main },
    { "import", "a topology of NCCL's, Slurm's or ibnetdiscover's as one of ours",
      sp_topo_import_main },
    { "dump", "this machine as hwloc XML that can be handed on", sp_topo_dump_main },
    { NULL, NULL, NULL }
};

static void usage(FILE *out)
{
    fprintf(out, "Usage: seqpar topo VERB [OPTION...]\nLook at machines and clusters.\n\n");
    for (const struct sp_verbinfo *v = subverbs; v->name; v++)
        fprintf(out, "  %-8s %s\n", v->name, v->help);
    fprintf(out, "\n  seqpar topo VERB --help lists the options of a verb.\n");
}

int sp_topo_main(int argc, char **argv)
{
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
        usage(stdout);
        return SP_EXIT_OK;
    }
    for (const struct sp_verbinfo *v = subverbs; argc > 1 && v->name; v++)
        if (!strcmp(argv[1], v->name))
            return v->run(argc - 1, argv + 1);
    if (argc < 2)
        usage(stderr);
    else
        sp_stop_together(SP_EXIT_USAGE, "topo has no verb '%s'; seqpar topo --help lists them",
                         argv[1]);
    return SP_EXIT_USAGE;
}
