/* kinds.c - machines and lists of hosts, written and looked up. */
/* SPDX-License-Identifier: MIT */
#include "topo/kinds.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "topo/hostlist.h"
#include "util/memory.h"
#include "util/why.h"

/* ---- which machine a host is ------------------------------------------------------------ */

static const char *read_hosts(struct sp_kinds *k, int m)
{
    struct sp_hosts hosts;
    const char *why = sp_hosts_parse(k->job->machine[m].hosts, &hosts);
    if (why)
        return sp_why("--machine: %s", why);
    for (int i = 0; i < hosts.n && !why; i++)
        if (!sp_names_add(&k->host, hosts.at[i], m))
            why = sp_why("--machine: host %.60s is in two lists", hosts.at[i]);
    sp_hosts_free(&hosts);
    return why;
}

const char *sp_kinds_read(struct sp_kinds *k, const struct sp_import *job)
{
    const char *why = NULL;
    *k = (struct sp_kinds){ .job = job, .others = -1 };
    for (int m = 0; m < job->nmachines && !why; m++) {
        const struct sp_import_machine *machine = &job->machine[m];
        if (strpbrk(machine->topo, "\"\n\r"))
            why = sp_why("--machine: %.60s: a quote or a new line in a file's name",
                         machine->topo);
        else if (machine->hosts)
            why = read_hosts(k, m);
        else if (k->others >= 0)
            why = sp_why("--machine: %.60s and %.60s are both for all other hosts: add "
                         "@HOSTLIST to one", job->machine[k->others].topo, machine->topo);
        else
            k->others = m;
    }
    return why;
}

void sp_kinds_free(struct sp_kinds *k)
{
    sp_names_free(&k->host);
}

int sp_kinds_find(const struct sp_kinds *k, const char *host)
{
    int m = sp_names_find(&k->host, host);
    return m >= 0 ? m : k->others;
}

/* ---- what is written -------------------------------------------------------------------- */

char *sp_word(char *text)
{
    for (char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_./", *c))
            *c = '_';
    return text;
}

/* What machine m is called in the file: its XML's name without the folder. free() it. */
static char *name_of(const struct sp_kinds *k, int m)
{
    const char *path = k->job->machine[m].topo, *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path);
    char *end = strrchr(name, '.');
    if (end && end > name && !strcmp(end, ".xml"))
        *end = '\0';
    return sp_word(name);
}

void sp_kinds_write(const struct sp_kinds *k, const bool *used)
{
    for (int m = 0; m < k->job->nmachines; m++) {
        if (!used[m])
            continue;
        char *name = name_of(k, m);
        const char *quote = strpbrk(k->job->machine[m].topo, " \t#") ? "\"" : "";
        fprintf(k->job->out, "machine %s topo=%s%s%s\n", name, quote, k->job->machine[m].topo,
                quote);
        free(name);
    }
}

int sp_hosts_order(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = strverscmp(x, y);
    return order ? order : strcmp(x, y);
}

/* Where the digits at the end of a name begin. */
static size_t stem(const char *host)
{
    size_t n = strlen(host);
    while (n && isdigit((unsigned char)host[n - 1]) && strlen(host) - n < 9)
        n--;
    return n;
}

/* Does b follow a by one? n09 n10 and n9 n10, but not n09 n010. */
static bool follows(const char *a, const char *b)
{
    size_t n = stem(a), wider = strlen(b) - strlen(a);
    return stem(b) == n && a[n] && !strncmp(a, b, n) && atol(b + n) == atol(a + n) + 1
           && (!wider || (wider == 1 && a[n] != '0'));
}

void sp_hosts_write(FILE *out, char *const *hosts, int n)
{
    for (int i = 0; i < n;) {
        int last = i;
        while (last + 1 < n && follows(hosts[last], hosts[last + 1]))
            last++;
        size_t at = stem(hosts[i]);
        if (last == i)
            fprintf(out, "%s%s", i ? "," : "", hosts[i]);
        else
            fprintf(out, "%s%.*s[%s-%s]", i ? "," : "", (int)at, hosts[i], hosts[i] + at,
                    hosts[last] + at);
        i = last + 1;
    }
}

void sp_nodes_write(const struct sp_kinds *k, char **hosts, int n)
{
    char **of = sp_alloc((size_t)n * sizeof *of);
    qsort(hosts, (size_t)n, sizeof *hosts, sp_hosts_order);
    for (int m = 0; m < k->job->nmachines; m++) {
        int some = 0;
        for (int i = 0; i < n; i++)
            if (sp_kinds_find(k, hosts[i]) == m)
                of[some++] = hosts[i];
        if (!some)
            continue;
        char *name = name_of(k, m);
        fputs("nodes   ", k->job->out);
        sp_hosts_write(k->job->out, of, some);
        fprintf(k->job->out, " machine=%s\n", name);
        free(name);
    }
    free(of);
}
