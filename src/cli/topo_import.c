/* topo_import.c - `seqpar topo import` and `seqpar topo dump`: topologies from elsewhere, and
 * of this machine. What is left out or assumed is said on stderr. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/topo_verbs.h"
#include "topo/import.h"
#include "topo/probe.h"
#include "util/memory.h"
#include "util/stop.h"

struct words {
    const struct sp_importer *importer;         /* NULL: dump */
    const char *file, *to, *rate;
    struct sp_import_machine *machine; int nmachines;
};

static void help(void)
{
    puts("Usage: seqpar topo import FORMAT FILE [-o OUT] [--machine XML[@HOSTS]...] [--rate R]\n"
         "       seqpar topo dump [-o OUT]\n"
         "Write a topology that another tool wrote, or this machine's, as seqpar reads it.\n");
    for (const struct sp_importer *i = sp_importers; i->name; i++)
        printf("  %-22s %s\n", i->name, i->help);
    puts("\n"
         "  -o OUT                 write there, not to stdout\n"
         "  --machine XML[@HOSTS]  of a network: the hwloc XML of its hosts, or of those in a\n"
         "                         list such as n[01-16]; hosts of no list are left out\n"
         "  --rate R               of a NIC, as in 400Gb/s, if its XML doesn't say (slurm)\n"
         "  FILE - is stdin; dump writes hwloc v2 XML without serial numbers and addresses.");
}

static const struct sp_importer *find_importer(const char *name)
{
    for (const struct sp_importer *i = sp_importers; i->name; i++)
        if (!strcmp(i->name, name))
            return i;
    sp_stop(SP_EXIT_USAGE, "topo import: '%s' is none of nccl, slurm, ibnetdiscover", name);
}

/* XML, or XML@HOSTS. The text is cut up. */
static void add_machine(struct words *w, char *text)
{
    char *hosts = strrchr(text, '@');
    if (hosts)
        *hosts++ = '\0';
    if (!*text || (hosts && !*hosts))
        sp_stop(SP_EXIT_USAGE, "--machine: it must be FILE.xml or FILE.xml@HOSTS");
    w->machine = sp_grow(w->machine, w->nmachines, sizeof *w->machine);
    w->machine[w->nmachines++] = (struct sp_import_machine){ text, hosts };
}

/* The value after option i; ends the program if there is none. */
static char *value(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc)
        sp_stop(SP_EXIT_USAGE, "%s needs a value", argv[*i]);
    return argv[++*i];
}

static struct words read_words(int argc, char **argv, bool import)
{
    struct words w = { 0 };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help")) {
            help();
            exit(SP_EXIT_OK);
        } else if (!strcmp(argv[i], "-o")) {
            w.to = value(argc, argv, &i);
        } else if (import && !strcmp(argv[i], "--machine")) {
            add_machine(&w, value(argc, argv, &i));
        } else if (import && !strcmp(argv[i], "--rate")) {
            w.rate = value(argc, argv, &i);
        } else if (argv[i][0] == '-' && argv[i][1]) {
            sp_stop(SP_EXIT_USAGE, "topo %s: no option %s", argv[0], argv[i]);
        } else if (import && !w.importer) {
            w.importer = find_importer(argv[i]);
        } else if (import && !w.file) {
            w.file = argv[i];
        } else {
            sp_stop(SP_EXIT_USAGE, "topo %s: unexpected argument '%s'", argv[0], argv[i]);
        }
    }
    return w;
}

/* ---- what comes out: kept until it is known to be right -------------------------------- */

struct output { FILE *memory; char *text; size_t bytes; };

static void open_output(struct output *o)
{
    o->memory = open_memstream(&o->text, &o->bytes);
}

static void write_output(struct output *o, const char *path)
{
    fclose(o->memory);
    FILE *out = path ? fopen(path, "w") : stdout;
    bool good = out && fwrite(o->text, 1, o->bytes, out) == o->bytes;
    if (out && (path ? fclose(out) : fflush(out)))
        good = false;
    if (!good)
        sp_stop(SP_EXIT_ENVIRONMENT, "cannot write %s: %s", path ? path : "stdout",
                strerror(errno));
    free(o->text);
}

/* A file's name without its folder and what follows a dot. */
static char *bare_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path);
    name[strcspn(name, ".")] = '\0';
    return name;
}

int sp_topo_import_main(int argc, char **argv)
{
    struct words w = read_words(argc, argv, true);
    if (!w.file)
        sp_stop(SP_EXIT_USAGE, "topo import: a format and a file are needed, as in seqpar topo "
                "import nccl topo.xml");
    if (w.importer->network && !w.nmachines)
        sp_stop(SP_EXIT_USAGE, "topo import %s: --machine is needed: the hwloc XML of the "
                "hosts, such as dgx-h100.xml", w.importer->name);
    bool standard = !strcmp(w.file, "-");
    FILE *in = standard ? stdin : fopen(w.file, "r");
    if (!in)
        sp_stop(SP_EXIT_ENVIRONMENT, "cannot read %s: %s", w.file, strerror(errno));
    char *name = bare_name(standard ? "stdin" : w.file);
    struct output o;
    open_output(&o);
    const char *why = w.importer->run(&(struct sp_import){
        .in = in, .path = w.file, .name = name, .machine = w.machine, .nmachines = w.nmachines,
        .rate = w.rate, .out = o.memory, .notes = stderr });
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
    if (!standard)
        fclose(in);
    write_output(&o, w.to);
    free(name);
    free(w.machine);
    return SP_EXIT_OK;
}

int sp_topo_dump_main(int argc, char **argv)
{
    struct words w = read_words(argc, argv, false);
    struct output o;
    open_output(&o);
    const char *why = sp_probe_write(o.memory, stderr);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
    write_output(&o, w.to);
    return SP_EXIT_OK;
}
