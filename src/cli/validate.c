/* validate.c - `seqpar validate`: predictions beside what others, or we, measured. */
/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/scoreboard.h"
#include "cli/verbs.h"
#include "util/memory.h"
#include "util/parse.h"
#include "util/stop.h"
#include "util/why.h"

struct asked {
    const char *cluster, *profile, *aliases, *out;
    enum sp_by by[SP_NBY];
    int nby;
    long worst;
    struct where { enum sp_by by; char **word; int n; } where[SP_NBY];
    int nwhere;
    char **file;
    int nfiles;
};

enum key { CLUSTER = 256, PROFILE, ALIASES, OUT, BY, WHERE, WORST, HELP };

static const struct known { const char *name, *arg, *help; enum key key; } options[] = {
    { "cluster", "FILE", "the topology of all rows (by the aliases)", CLUSTER },
    { "profile", "FILE", "the profile of all rows (by the aliases)", PROFILE },
    { "aliases", "FILE", "which machine of a table is which topology and profile (those that come "
      "with seqpar)", ALIASES },
    { "out", "FILE", "write every row, with its prediction: CSV, or JSON lines (.jsonl)", OUT },
    { "by", "LIST", "what scores are grouped by: file, source, hardware, cluster, gpus, strategy, "
      "layout, sp, seq, heads, mask, pass (file,strategy,layout,pass)", BY },
    { "where", "NAME=LIST", "only rows in which one of these is one of the list: gpus=16,32",
      WHERE },
    { "worst", "N", "how many of the most wrong points to list (10)", WORST },
    { "help", NULL, "print this", HELP },
};

enum { NOPTIONS = sizeof options / sizeof *options };

static void usage(void)
{
    printf("Usage: seqpar validate [OPTION...] FILE...\n"
           "Predict what was measured, and say how wrong that is. A FILE is a published table\n"
           "(CSV, see results/published/README.md) or the JSON lines of seqpar run.\n\n");
    for (int i = 0; i < NOPTIONS; i++)
        printf("  --%s%s%-*s %s\n", options[i].name, options[i].arg ? "=" : "",
               16 - (int)strlen(options[i].name), options[i].arg ? options[i].arg : " ",
               options[i].help);
    printf("\nThe error of a point is predicted / measured - 1. Exit code: 0; 8 if no row could\n"
           "be predicted; 3 if a file can't be used.\n");
}

static const char *read_by(struct asked *a, const char *text)
{
    char **word;
    int n, place;
    const char *why = sp_parse_words(text, &word, &n);
    if (why)
        return why;
    if (n > SP_NBY)
        why = sp_why("%d names are more than the %d there are", n, SP_NBY);
    a->nby = 0;
    for (int i = 0; i < n && !why; i++)
        if (!(why = sp_parse_name(word[i], sp_by_names, &place)))
            a->by[a->nby++] = (enum sp_by)place;
    free(word);
    return why;
}

/* "gpus=16,32" */
static const char *read_where(struct asked *a, const char *text)
{
    struct where *w = &a->where[a->nwhere];
    const char *equals = strchr(text, '=');
    int place;
    if (!equals)
        return sp_why("\"%s\" is not NAME=LIST, such as gpus=16,32", text);
    if (a->nwhere == SP_NBY)
        return sp_why("more than %d of them", SP_NBY);
    char *name = strndup(text, (size_t)(equals - text));
    const char *why = sp_parse_name(name, sp_by_names, &place);
    free(name);
    if (!why)
        why = sp_parse_words(equals + 1, &w->word, &w->n);
    if (why)
        return why;
    w->by = (enum sp_by)place;
    a->nwhere++;
    return NULL;
}

static bool fits(const struct where *w, const struct sp_scored *x)
{
    char room[SP_BY_ROOM];
    const char *value = sp_by_value(x, w->by, room);
    for (int i = 0; i < w->n; i++)
        if (!strcmp(value, w->word[i]))
            return true;
    return false;
}

/* Those that were asked for, in their order; how many. */
static long select_rows(const struct asked *a, struct sp_scored *x, long n)
{
    long kept = 0;
    for (long i = 0; i < n; i++) {
        bool all = true;
        for (int j = 0; j < a->nwhere; j++)
            all &= fits(&a->where[j], &x[i]);
        if (all)
            x[kept++] = x[i];
    }
    return kept;
}

static const char *take(struct asked *a, enum key key, const char *value)
{
    switch (key) {
    case CLUSTER: a->cluster = value; return NULL;
    case PROFILE: a->profile = value; return NULL;
    case ALIASES: a->aliases = value; return NULL;
    case OUT:     a->out = value; return NULL;
    case BY:      return read_by(a, value);
    case WHERE:   return read_where(a, value);
    case WORST:   return sp_parse_size(value, 0, 1000000, &a->worst);
    case HELP:    usage(); exit(SP_EXIT_OK);
    }
    return NULL;
}

static struct asked read_options(int argc, char **argv)
{
    struct asked a = { .by = { SP_BY_FILE, SP_BY_STRATEGY, SP_BY_LAYOUT, SP_BY_PASS }, .nby = 4,
                       .worst = 10 };
    struct option list[NOPTIONS + 1] = { { 0 } };
    for (int i = 0; i < NOPTIONS; i++)
        list[i] = (struct option){ options[i].name, options[i].arg ? required_argument
                                                                   : no_argument,
                                   NULL, options[i].key };
    opterr = 0;
    for (int key, i; (key = getopt_long(argc, argv, ":", list, &i)) != -1;) {
        if (key == ':')
            sp_stop_together(SP_EXIT_USAGE, "%s: needs a value", argv[optind - 1]);
        if (key == '?')
            sp_stop_together(SP_EXIT_USAGE, "unknown option '%s'; seqpar validate --help lists "
                             "them", argv[optind - 1]);
        const char *why = take(&a, (enum key)key, optarg);
        if (why)
            sp_stop_together(SP_EXIT_USAGE, "--%s: %s", options[i].name, why);
    }
    a.file = argv + optind;
    a.nfiles = argc - optind;
    if (!a.nfiles)
        sp_stop_together(SP_EXIT_USAGE, "validate needs a FILE of measurements: a CSV table, or "
                         "the JSON lines of seqpar run");
    return a;
}

static struct sp_measured_file *read_files(const struct asked *a)
{
    struct sp_measured_file *f = sp_alloc((size_t)a->nfiles * sizeof *f);
    for (int i = 0; i < a->nfiles; i++) {
        const char *why = sp_measured_read(&f[i], a->file[i]);
        if (why)
            sp_stop_together(SP_EXIT_ENVIRONMENT, "%s", why);
    }
    return f;
}

int sp_validate_main(int argc, char **argv)
{
    const char *why;
    long n;
    struct asked a = read_options(argc, argv);
    struct sp_measured_file *f = read_files(&a);
    struct sp_testbeds *b = sp_testbeds_new(a.cluster, a.profile, a.aliases, &why);
    if (!b)
        sp_stop_together(SP_EXIT_ENVIRONMENT, "%s", why);
    struct sp_scored *x = sp_scored_new(f, a.nfiles, b, &n);
    n = select_rows(&a, x, n);
    sp_scored_predict(x, n);
    if (a.out && (why = sp_scored_write(x, n, a.out)))
        sp_stop_together(SP_EXIT_ENVIRONMENT, "%s", why);
    sp_scoreboard_groups(x, n, a.by, a.nby);
    sp_scoreboard_worst(x, n, (int)a.worst);
    sp_scoreboard_left(x, n);
    long count = sp_scoreboard_total(x, n);
    free(x);
    sp_testbeds_free(b);
    for (int i = 0; i < a.nwhere; i++)
        free(a.where[i].word);
    for (int i = 0; i < a.nfiles; i++)
        sp_measured_free(&f[i]);
    free(f);
    return count ? SP_EXIT_OK : SP_EXIT_SOME;
}
