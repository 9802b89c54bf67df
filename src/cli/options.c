/* options.c - the table of options, from which the parser and --help are made. */
/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <argp.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/model.h"
#include "topo/units.h"
#include "util/memory.h"
#include "util/parse.h"
#include "util/stop.h"

enum type { HEADING, WORDS, LONGS, SET, PASS, MODEL, LONG, SECONDS, FLAG, TEXT, PART, RATE };

enum { RUN = SP_VERB_RUN, SHOW = SP_VERB_SHOW, PREDICT = SP_VERB_PREDICT,
       CALIBRATE = SP_VERB_CALIBRATE, MEASURE = RUN | CALIBRATE,
       ANY = RUN | SHOW | PREDICT | SP_VERB_CHECK };

#define AT(member) offsetof(struct sp_options, member)

static const struct known {
    const char *name, *arg, *help;
    unsigned verbs;
    enum type type;
    size_t at;
    long low, high;
} options[] = {
    { NULL, NULL, "What to compute (lists of values sweep):", ANY, HEADING, 0, 0, 0 },
    { "model", "FILE", "heads, KV heads and head dim of a Hugging Face config.json", ANY, MODEL,
      0, 0, 0 },
    { "seq", "LIST", "tokens of the whole sequence; K and M are binary (4K)", ANY, LONGS, AT(seq),
      1, INT_MAX },
    { "batch", "LIST", "sequences (1)", ANY, LONGS, AT(batch), 1, INT_MAX },
    { "heads", "LIST", "query heads (8)", ANY, LONGS, AT(heads), 1, SHRT_MAX },
    { "kv-heads", "LIST", "key and value heads (as many as query heads)", ANY, LONGS,
      AT(kv_heads), 1, SHRT_MAX },
    { "head-dim", "LIST", "elements of a head (128)", ANY, LONGS, AT(head_dim), 1, 1024 },
    { "dtype", "LIST", "fp32, bf16 (bf16)", ANY, WORDS, AT(dtype), 0, 0 },
    { "mask", "LIST", "causal, full (causal)", ANY, WORDS, AT(mask), 0, 0 },
    { "pass", "LIST", "fwd, bwd (fwd,bwd)", ANY, PASS, 0, 0, 0 },
    { NULL, NULL, "How to spread it:", ANY, HEADING, 0, 0, 0 },
    { "strategy", "LIST", "see seqpar info (all)", ANY, WORDS,
      AT(strategy), 0, 0 },
    { "sp", "LIST", "ranks that share a sequence (run: all that were launched)", ANY, LONGS,
      AT(sp), 1, SP_MAX_RANKS },
    { "layout", "LIST", "contiguous, zigzag, striped, auto (what suits the strategy)", ANY, WORDS,
      AT(layout), 0, 0 },
    { "set", "KNOB=LIST", "a knob of a strategy, such as ring.buffers=2,3; see seqpar info", ANY,
      SET, 0, 0, 0 },
    { NULL, NULL, "How to run it:", MEASURE, HEADING, 0, 0, 0 },
    { "transport", "NAME", "self, mpi (mpi under mpirun or srun)", MEASURE, TEXT,
      AT(transport), 0, 0 },
    { "kernels", "NAME", "see seqpar info (the fastest for this processor)", MEASURE, TEXT,
      AT(kernels), 0, 0 },
    { "threads", "N", "of each rank (its share of this host's processors)", MEASURE, LONG,
      AT(threads), 1, 4096 },
    { "iters", "N", "timed repetitions, at most (20)", RUN, LONG, AT(iters), 1, 1000000 },
    { "warmup", "N", "repetitions before them (2)", RUN, LONG, AT(warmup), 0, 1000000 },
    { "time", "T", "fewer repetitions, but 3, if a point would take longer (10s)", RUN, SECONDS,
      AT(seconds), 0, 0 },
    { "time", "T", "that it may take, about; less is less accurate (90s)", CALIBRATE, SECONDS,
      AT(seconds), 0, 0 },
    { "net-rate", "RATE", "nominal rate of the network's cables, such as 25Gb/s: the profile then "
      "holds for others", CALIBRATE, RATE, AT(net_rate), 0, 0 },
    { "timeout", "T", "give up when a rank waits so long for another (300s; 0: never)", MEASURE,
      SECONDS, AT(timeout), 0, 0 },
    { "seed", "N", "of the inputs (1)", RUN, LONG, AT(seed), 0, LONG_MAX },
    { NULL, NULL, "Where it would run, and by whose numbers:", PREDICT | SHOW, HEADING, 0, 0, 0 },
    { "cluster", "FILE", "a cluster file, a machine's hwloc XML, one of those that come with "
      "seqpar (dgx-h100-2), or - for this machine", PREDICT | SHOW, TEXT, AT(cluster), 0, 0 },
    { "profile", "FILE", "written by seqpar calibrate, or one that comes with seqpar (what suits "
      "the cluster's devices)", PREDICT | SHOW, TEXT, AT(profile), 0, 0 },
    { "groups", "N", "groups of ranks that do the same at the same time (1; 0: as many as there "
      "is room for)", PREDICT, LONG, AT(groups), 0, 1 << 20 },
    { "per-node", "N", "ranks of a group on each node; further groups may have the others (as "
      "many as it has GPUs)", PREDICT | SHOW, LONG, AT(per_node), 1, 4096 },
    { "slow", "LIST", "ranks that compute slower, RANK:FACTOR (3:1.2)", PREDICT, WORDS, AT(slow), 0,
      0 },
    { "jitter", "X", "sigma of a random factor of each computation (0)", PREDICT, PART, AT(jitter),
      0, 2 },
    { "seed", "N", "of the jitter (1)", PREDICT, LONG, AT(seed), 0, LONG_MAX },
    { "eps", "T", "what ends within this time ends together (0; a little where very many messages "
      "fly)", PREDICT, SECONDS, AT(eps), 0, 0 },
    { "explicit", NULL, "simulate every rank, also those that are alike", PREDICT, FLAG,
      AT(explicit_run), 0, 0 },
    { "decompose", NULL, "time computing, communication, and both one after the other, too",
      RUN | PREDICT, FLAG, AT(decompose), 0, 0 },
    { "no-baseline", NULL, "leave out local, which the others are compared with", RUN | PREDICT,
      FLAG, AT(no_baseline), 0, 0 },
    { "dry-run", NULL, "list the points and what each needs; run nothing", RUN, FLAG, AT(dry_run),
      0, 0 },
    { NULL, NULL, "Where results go, beside the table:", RUN | PREDICT, HEADING, 0, 0, 0 },
    { "jsonl", "FILE", "append every point, with all samples, as it is done", RUN | PREDICT, TEXT,
      AT(jsonl), 0, 0 },
    { "csv", "FILE", "append every point as comma-separated values", RUN | PREDICT, TEXT,
      AT(csv), 0, 0 },
    { "markdown", "FILE", "append a table for a report", RUN | PREDICT, TEXT, AT(markdown), 0, 0 },
    { "resume", NULL, "skip what the jsonl file has already", RUN, FLAG, AT(resume), 0, 0 },
    { "dump", "DIR", "write the first point's tensors as NumPy files", RUN, TEXT, AT(dump), 0, 0 },
    { "trace", "FILE", "write the first point's steps as a Chrome trace", RUN, TEXT, AT(trace), 0,
      0 },
    { "from", "RECIPE", "measure nothing: fit what others published, as a recipe has it", CALIBRATE,
      TEXT, AT(from), 0, 0 },
    { NULL, NULL, "Where the numbers go, beside the table:", CALIBRATE, HEADING, 0, 0, 0 },
    { "out", "FILE", "the profile (profile.json); an older one is replaced in the end", CALIBRATE,
      TEXT, AT(out), 0, 0 },
    { "timeline", "PREFIX", "write the first point's steps as PREFIX.json for Perfetto and as a "
      "Gantt chart, PREFIX.svg", PREDICT, TEXT, AT(timeline), 0, 0 },
    { NULL, NULL, "What to show:", SHOW, HEADING, 0, 0, 0 },
    { "format", "NAME", "text, dot, goal (text)", SHOW, TEXT, AT(format), 0, 0 },
    { "timeline", "PREFIX", "when each step runs: PREFIX.json for Perfetto and PREFIX.svg, a Gantt "
      "chart; simulated on --cluster, or as --trace has it", SHOW, TEXT, AT(timeline), 0, 0 },
    { "trace", "FILE", "what seqpar run --trace wrote", SHOW, TEXT, AT(trace), 0, 0 },
    { "rank", "N", "only the steps of this rank, as text", SHOW, LONG, AT(rank), 0, SP_MAX_RANKS },
};

enum { NOPTIONS = sizeof options / sizeof *options, FIRST_KEY = 256 };

/* ---- one option's value -------------------------------------------------------------- */

static void set_longs(struct sp_longs *l, long value)
{
    free(l->at);
    l->at = sp_alloc(sizeof *l->at);
    l->at[0] = value;
    l->n = 1;
}

static const char *read_model(struct sp_options *o, const char *path)
{
    struct sp_model m;
    const char *why = sp_model_read(path, &m);
    if (why)
        return why;
    set_longs(&o->heads, m.heads);
    set_longs(&o->kv_heads, m.kv_heads);
    set_longs(&o->head_dim, m.head_dim);
    return NULL;
}

static const char *read_passes(struct sp_options *o, const char *text)
{
    static const char *const names[] = { "fwd", "bwd", NULL };
    char **word;
    int n, pass;
    const char *why = sp_parse_words(text, &word, &n);
    if (why)
        return why;
    o->pass[SP_FORWARD] = o->pass[SP_BACKWARD] = false;
    for (int i = 0; i < n && !why; i++)
        if (!(why = sp_parse_name(word[i], names, &pass)))
            o->pass[pass] = true;
    free(word);
    return why;
}

static const char *read_value(struct sp_options *o, const struct known *p, char *text)
{
    char *at = (char *)o + p->at;
    switch (p->type) {
    case WORDS:
        free(((struct sp_words *)at)->at);
        return sp_parse_words(text, &((struct sp_words *)at)->at, &((struct sp_words *)at)->n);
    case LONGS:
        free(((struct sp_longs *)at)->at);
        return sp_parse_sizes(text, p->low, p->high, &((struct sp_longs *)at)->at,
                              &((struct sp_longs *)at)->n);
    case SET:
        o->set.at = sp_grow(o->set.at, o->set.n, sizeof *o->set.at);
        o->set.at[o->set.n++] = text;
        return NULL;
    case PASS:    return read_passes(o, text);
    case MODEL:   return read_model(o, text);
    case LONG:    return sp_parse_size(text, p->low, p->high, (long *)at);
    case SECONDS: return sp_parse_seconds(text, (double *)at);
    case RATE:    return sp_parse_rate(text, (double *)at);
    case PART:    return sp_parse_real(text, (double)p->low, (double)p->high, (double *)at);
    case FLAG:    *(bool *)at = true; return NULL;
    case TEXT:    *(const char **)at = text; return NULL;
    case HEADING: return NULL;
    }
    return NULL;
}

/* Shape options given beside --model win, wherever they stand. */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    if (key >= FIRST_KEY && key < FIRST_KEY + NOPTIONS) {
        const struct known *p = &options[key - FIRST_KEY];
        const char *why = read_value(state->input, p, arg);
        if (why && p->type == MODEL)
            sp_stop_together(SP_EXIT_USAGE, "--model: %s", why);
        if (why)
            sp_stop_together(SP_EXIT_USAGE, "--%s: %s", p->name, why);
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        sp_stop_together(SP_EXIT_USAGE, "unexpected argument '%s'; options begin with --, see "
                         "--help", arg);
    return ARGP_ERR_UNKNOWN;
}

/* ---- all of them ------------------------------------------------------------------------ */

static void check(const struct sp_options *o)
{
    if (o->resume && !o->jsonl)
        sp_stop_together(SP_EXIT_USAGE, "--resume needs --jsonl FILE, which has what is done");
    if (o->set.n && !o->strategy.n)
        sp_stop_together(SP_EXIT_USAGE, "--set needs --strategy, whose knobs it sets");
}

static const char *const docs[] = {
    [SP_VERB_RUN] = "Measure sequence-parallel attention, forward and backward, verified."
        "\vStart it with mpirun or srun to have several ranks:\n"
        "  mpirun -n 4 seqpar run --model models/llama-3.1-8b.json --seq 16K --sp 1,2,4",
    [SP_VERB_PREDICT] = "Simulate sequence-parallel attention on a cluster: the same points as run, "
        "for machines that needn't be there; needs no launch."
        "\v  seqpar predict --model models/llama-3.1-8b.json --seq 128K --sp 8,16 "
        "--cluster dgx-h100-2",
    [SP_VERB_SHOW] = "Print what a strategy would do, step by step; needs no launch.",
    [SP_VERB_CALIBRATE] = "Measure kernels, copies and messages of this machine, and what they do "
        "to each other, for predictions."
        "\vStart it as the runs to be predicted: as many ranks on a host, as many threads. One "
        "rank alone can't measure messages.\n"
        "  mpirun -n 2 seqpar calibrate --out my-machine.json",
    [SP_VERB_CHECK] = "Prove that a strategy is right, and count what it sends, computes and "
        "holds; needs no launch.",
};

/* The options of a verb; those of the model first, so that what stands beside it wins. */
static struct argp_option *options_of(enum sp_verb verb)
{
    struct argp_option *list = sp_alloc((NOPTIONS + 1) * sizeof *list);
    int n = 0, group = 0;
    for (int i = 0; i < NOPTIONS; i++) {
        if (!(options[i].verbs & verb))
            continue;
        group += options[i].type == HEADING;
        list[n++] = (struct argp_option){
            .name = options[i].name, .arg = options[i].arg, .doc = options[i].help,
            .key = options[i].type == HEADING ? 0 : FIRST_KEY + i, .group = group };
    }
    return list;
}

static const struct known *find(enum sp_verb verb, const char *name, size_t length)
{
    for (int i = 0; i < NOPTIONS; i++)
        if ((options[i].verbs & verb) && options[i].name && strlen(options[i].name) == length
            && !strncmp(options[i].name, name, length))
            return &options[i];
    return NULL;
}

/* argp would say the same in two lines, on every rank. */
static void check_names(enum sp_verb verb, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t length = strcspn(argv[i], "=");
        if (strncmp(argv[i], "--", 2) || !strncmp(argv[i], "--help", length)
            || !strncmp(argv[i], "--usage", length))
            continue;
        const struct known *p = find(verb, argv[i] + 2, length - 2);
        if (!p)
            sp_stop_together(SP_EXIT_USAGE, "unknown option '%s'; seqpar %s --help lists them",
                             argv[i], argv[0]);
        bool apart = p->arg && !argv[i][length];
        if (apart && i + 1 == argc)
            sp_stop_together(SP_EXIT_USAGE, "--%s: needs a value, %s", p->name, p->help);
        if (!p->arg && argv[i][length])
            sp_stop_together(SP_EXIT_USAGE, "--%s: takes no value", p->name);
        i += apart;
    }
}

/* --model and its file to the front. */
static void model_first(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool apart = !strcmp(argv[i], "--model") && i + 1 < argc;
        if (!apart && strncmp(argv[i], "--model=", 8))
            continue;
        char *option = argv[i], *file = apart ? argv[i + 1] : NULL;
        int width = apart ? 2 : 1;
        memmove(argv + 1 + width, argv + 1, (size_t)(i - 1) * sizeof *argv);
        argv[1] = option;
        if (apart)
            argv[2] = file;
        i += width - 1;
    }
}

struct sp_options sp_options_read(enum sp_verb verb, int argc, char **argv)
{
    struct sp_options o = {
        .pass = { true, true }, .iters = 20, .warmup = 2, .timeout = 300, .seed = 1,
        .seconds = verb == SP_VERB_CALIBRATE ? 90 : 10,
        .rank = -1, .format = "text", .groups = 1, .out = "profile.json",
    };
    check_names(verb, argc, argv);
    struct argp_option *list = options_of(verb);
    struct argp argp = { .options = list, .parser = parse, .doc = docs[verb] };
    static char name[64];           /* argp and the record of the launch keep it */
    snprintf(name, sizeof name, "seqpar %s", argv[0]);
    argv[0] = name;
    argp_err_exit_status = SP_EXIT_USAGE;
    model_first(argc, argv);
    error_t error = argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (error)
        sp_stop_together(SP_EXIT_USAGE, "%s", strerror(error));
    free(list);
    check(&o);
    return o;
}
