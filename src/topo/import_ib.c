/* import_ib.c - what ibnetdiscover printed, as a cluster file: each cable that is there.
 *
 *      Switch  65 "S-2c5eab"       # "MF0;LEAF-01:MQM9701/U1" enhanced port 0 lid 73 lmc 0
 *      [1]     "H-e09d73"[1](...)  # "node-01 mlx5_5" lid 647 4xNDR
 *      [35]    "S-2c5ec2"[32]      # "MF0;SPINE-02:MQM9701/U1" lid 236 4xNDR
 *
 * Cables between switches are in the lists of both. Blocks of hosts (Ca) say nothing new.
 * Names are from the description that a host's driver sets: "host mlx5_5", or "host HCA-6",
 * which is the sixth and so mlx5_5 too. Adapters without a name are left out, as are the
 * aggregation nodes that switches have in them. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "topo/kinds.h"
#include "topo/standards.h"
#include "util/memory.h"
#include "util/why.h"

enum { MOST_LINES = 1000000, MOST_SWITCHES = 65536, LONGEST = 1024, MBPS = 1000 };

struct ib_switch { char *guid, *name; bool leaf; };

/* A port of a switch, and what is at its other end. */
struct port { int line, from, to; char *peer, *host, *nic; int mbps; };

struct network {
    const struct sp_import *job;
    struct sp_kinds kinds;
    struct ib_switch *sw; int nswitches;
    struct port *port; long nports;
    struct sp_names guids, taken, nics, known;
    char **host; int nhosts;
    int unnamed, twice, foreign;
};

/* ---- reading ---------------------------------------------------------------------------- */

/* What stands between the first two quotes; NULL: nothing. Ends *at behind them. */
static char *quoted(char **at)
{
    char *from = strchr(*at, '"'), *to = from ? strchr(from + 1, '"') : NULL;
    if (!to)
        return NULL;
    *to = '\0';
    *at = to + 1;
    return from + 1;
}

/* MF0;LEAF-01:MQM9701/U1 is LEAF-01. The GUID is added where that isn't unique. */
static char *switch_name(struct network *w, char *description, const char *guid)
{
    char *semicolon = strchr(description, ';'), *from = semicolon ? semicolon + 1 : description;
    char *name;
    from[strcspn(from, ":")] = '\0';
    if (!*from || asprintf(&name, "%s", from) < 0)
        name = strdup(guid);
    sp_word(name);
    if (sp_names_add(&w->taken, name, 0))
        return name;
    char *unique;
    if (asprintf(&unique, "%s_%s", name, guid) < 0)
        unique = strdup(guid);
    free(name);
    sp_names_add(&w->taken, unique, 0);
    return sp_word(unique);
}

static const char *read_switch(struct network *w, char *text, int line)
{
    char *guid = quoted(&text), *description = guid ? quoted(&text) : NULL;
    if (!description)
        return sp_why("%s:%d: a switch is written as Switch PORTS \"S-GUID\" # \"NAME\"",
                      w->job->path, line);
    if (w->nswitches == MOST_SWITCHES)
        return sp_why("%s:%d: more than %d switches", w->job->path, line, MOST_SWITCHES);
    if (!sp_names_add(&w->guids, guid, w->nswitches))
        return sp_why("%s:%d: switch %.40s for the second time", w->job->path, line, guid);
    w->sw = sp_grow(w->sw, w->nswitches, sizeof *w->sw);
    w->sw[w->nswitches++] = (struct ib_switch){
        .guid = strdup(guid), .name = switch_name(w, description, guid) };
    return NULL;
}

/* "host mlx5_5" or "host HCA-6": what a host and its adapter are called, if that is it. */
static bool split_host(const char *description, char **host, char **nic)
{
    char name[LONGEST], adapter[64], more;
    int k;
    if (sscanf(description, "%1023s %63s %c", name, adapter, &more) != 2)
        return false;
    if (sscanf(adapter, "HCA-%d%c", &k, &more) == 1 && k > 0)
        snprintf(adapter, sizeof adapter, "mlx5_%d", k - 1);
    else if (!strpbrk(adapter, "0123456789"))
        return false;
    *host = sp_word(strdup(name));
    *nic = sp_word(strdup(adapter));
    return true;
}

static const char *read_port(struct network *w, char *text, int line)
{
    char *peer = quoted(&text), *description = peer ? quoted(&text) : NULL;
    char *rate = description ? strrchr(text, ' ') : NULL;
    struct port p = { .line = line, .from = w->nswitches - 1, .to = -1 };
    if (!rate || !(p.mbps = sp_ib_rate(rate + 1)))
        return sp_why("%s:%d: a port is written as [1] \"GUID\"[1] # \"NAME\" lid 1 4xNDR",
                      w->job->path, line);
    if (strstr(description, "Aggregation Node") || *peer == 'R')
        return NULL;
    if (*peer == 'H' && !split_host(description, &p.host, &p.nic)) {
        w->unnamed++;
        return NULL;
    }
    p.peer = strdup(peer);
    w->port = sp_grow(w->port, w->nports, sizeof *w->port);
    w->port[w->nports++] = p;
    return NULL;
}

static const char *read_lines(struct network *w)
{
    char text[LONGEST];
    bool in_switch = false;
    const char *why = NULL;
    for (int line = 1; !why && fgets(text, sizeof text, w->job->in); line++) {
        size_t n = strlen(text);
        if (line > MOST_LINES || (n == sizeof text - 1 && text[n - 1] != '\n'))
            return sp_why("%s:%d: more than %d lines, or %d bytes in one", w->job->path, line,
                          MOST_LINES, LONGEST);
        text[strcspn(text, "\r\n")] = '\0';
        if (!strncmp(text, "Switch", 6)) {
            why = read_switch(w, text, line);
            in_switch = true;
        } else if (*text == '[' && in_switch) {
            why = read_port(w, text, line);
        } else if (*text != '[') {
            in_switch = in_switch && (*text == '#' || !*text);
        }
    }
    if (!why && ferror(w->job->in))
        return sp_why("cannot read %s: %s", w->job->path, strerror(errno));
    if (!why && !w->nswitches)
        return sp_why("%s has no switch; it must be what ibnetdiscover prints", w->job->path);
    return why;
}

/* ---- who is who ------------------------------------------------------------------------- */

/* Drops what the cluster file can't have: hosts that aren't ours, adapters seen before. */
static bool keep_host(struct network *w, struct port *p)
{
    char *both;
    if (sp_kinds_find(&w->kinds, p->host) < 0) {
        w->foreign++;
        return false;
    }
    if (asprintf(&both, "%s:%s", p->host, p->nic) < 0)
        return false;
    int at = sp_names_find(&w->nics, both);
    if (at < 0)
        sp_names_add(&w->nics, both, p->from);
    else if (at != p->from)
        w->twice++;
    free(both);
    if (at >= 0 && at != p->from)
        return false;
    if (sp_names_add(&w->known, p->host, 0)) {
        w->host = sp_grow(w->host, w->nhosts, sizeof *w->host);
        w->host[w->nhosts++] = p->host;
    }
    w->sw[p->from].leaf = true;
    return true;
}

/* By ends, so that parallel cables lie together: hosts first, by name. */
static int port_order(const void *a, const void *b)
{
    const struct port *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (!x->host != !y->host)
        return x->host ? -1 : 1;
    int order = x->host ? sp_hosts_order(&x->host, &y->host) : (x->to > y->to) - (x->to < y->to);
    if (!order && x->host)
        order = sp_hosts_order(&x->nic, &y->nic);
    return order ? order : (x->mbps > y->mbps) - (x->mbps < y->mbps);
}

static const char *resolve(struct network *w)
{
    long kept = 0;
    for (long i = 0; i < w->nports; i++) {
        struct port p = w->port[i];
        bool keep = p.host ? keep_host(w, &w->port[i])
                           : (p.to = sp_names_find(&w->guids, p.peer)) >= 0 && p.to != p.from;
        struct port other = w->port[kept];
        if (keep) {
            w->port[i] = other;
            w->port[kept++] = p;
        }
    }
    if (!w->nhosts)
        return sp_why("%s has no adapter of a host that has a name and a --machine",
                      w->job->path);
    qsort(w->port, (size_t)kept, sizeof *w->port, port_order);
    for (long i = kept; i < w->nports; i++)     /* behind the others, only to be freed */
        w->port[i].from = -1;
    return NULL;
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Cables from port i on that have the same ends and rate. */
static long parallel(const struct network *w, long i)
{
    long n = 1;
    while (i + n < w->nports && w->port[i + n].from >= 0
           && !port_order(&w->port[i], &w->port[i + n]))
        n++;
    return n;
}

/* Between switches each cable is listed on both sides; the lower number's side is written. A
 * side that lists none, because the dump was cut, is made up for by the other's. */
static bool listed_below(const struct network *w, const struct port *p)
{
    struct port back = { .from = p->to, .to = p->from, .mbps = p->mbps };
    long high = w->nports;
    if (p->from < p->to)
        return false;
    while (high > 0 && w->port[high - 1].from < 0)
        high--;
    return bsearch(&back, w->port, (size_t)high, sizeof back, port_order);
}

static void write_links(const struct network *w)
{
    FILE *out = w->job->out;
    for (long i = 0, n; i < w->nports && w->port[i].from >= 0; i += n) {
        const struct port *p = &w->port[i];
        n = parallel(w, i);
        if (!p->host && listed_below(w, p))
            continue;
        fprintf(out, "link    %s ", w->sw[p->from].name);
        if (p->host)
            fprintf(out, "%s:%s", p->host, p->nic);
        else
            fputs(w->sw[p->to].name, out);
        if (n > 1)
            fprintf(out, " count=%ld", n);
        fprintf(out, " rate=%gGb/s\n", (double)p->mbps / MBPS);
    }
}

static void write_notes(const struct network *w)
{
    if (w->unnamed)
        fprintf(w->job->notes, "%d adapters have no name of a host and are left out\n",
                w->unnamed);
    if (w->foreign)
        fprintf(w->job->notes, "%d adapters are of hosts that no --machine names, left out\n",
                w->foreign);
    if (w->twice)
        fprintf(w->job->notes, "%d adapters have the name of another (two hosts of one name?) "
                "and are left out\n", w->twice);
}

static void write_cluster(const struct network *w)
{
    bool *used = sp_alloc((size_t)w->job->nmachines * sizeof *used);
    for (int i = 0; i < w->nhosts; i++)
        used[sp_kinds_find(&w->kinds, w->host[i])] = true;
    fprintf(w->job->out, "# %s, from ibnetdiscover: %d hosts, %d switches\n", w->job->name,
            w->nhosts, w->nswitches);
    sp_kinds_write(&w->kinds, used);
    sp_nodes_write(&w->kinds, w->host, w->nhosts);
    for (int s = 0; s < w->nswitches; s++)
        fprintf(w->job->out, "switch  %s tier=%s\n", w->sw[s].name,
                w->sw[s].leaf ? "leaf" : "spine");
    write_links(w);
    write_notes(w);
    free(used);
}

static void release(struct network *w)
{
    for (int s = 0; s < w->nswitches; s++) {
        free(w->sw[s].guid);
        free(w->sw[s].name);
    }
    for (long i = 0; i < w->nports; i++) {
        free(w->port[i].peer);
        free(w->port[i].host);
        free(w->port[i].nic);
    }
    free(w->sw);
    free(w->port);
    free(w->host);
    sp_names_free(&w->guids);
    sp_names_free(&w->taken);
    sp_names_free(&w->nics);
    sp_names_free(&w->known);
    sp_kinds_free(&w->kinds);
}

const char *sp_import_ib(const struct sp_import *job)
{
    struct network w = { .job = job };
    const char *why = sp_kinds_read(&w.kinds, job);
    why = why ? why : read_lines(&w);
    why = why ? why : resolve(&w);
    if (!why)
        write_cluster(&w);
    release(&w);
    return why;
}
