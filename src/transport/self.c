/* self.c - a launch of one rank: nothing to send, nobody to wait for. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "transport/launcher.h"
#include "transport/transport.h"
#include "util/memory.h"

extern const struct sp_transport sp_transport_self;

static struct sp_comm *open_self(const char **why)
{
    static char text[160];
    int ranks = sp_launched_ranks();
    if (ranks > 1) {
        snprintf(text, sizeof text, "the launcher started %d ranks, but transport self is for one; "
                 "use --transport mpi, or build with MPI", ranks);
        *why = text;
        return NULL;
    }
    struct sp_comm *c = sp_alloc(sizeof *c);
    *c = (struct sp_comm){ .transport = &sp_transport_self, .ranks = 1, .local = 1 };
    return c;
}

static struct sp_comm *split(struct sp_comm *c, int ranks)
{
    assert(ranks == 1);
    (void)ranks;
    struct sp_comm *s = sp_alloc(sizeof *s);
    *s = *c;
    return s;
}

static void post(struct sp_comm *c, const struct sp_wire *w, int n)
{
    (void)c;
    (void)w;
    (void)n;
    assert(!"a rank alone sends nothing");
}

static int finished(struct sp_comm *c)
{
    (void)c;
    return -1;
}

static void barrier(struct sp_comm *c) { (void)c; }

static void reduce(struct sp_comm *c, double *x, int n, enum sp_reduce how)
{
    (void)c;
    (void)x;
    (void)n;
    (void)how;
}

static void lost(struct sp_comm *c, int peer, const char *what)
{
    (void)c;
    (void)peer;
    (void)what;
    assert(!"a rank alone waits for nobody");
}

static void close_self(struct sp_comm *c) { free(c); }

const struct sp_transport sp_transport_self = {
    .name = "self",
    .help = "one rank, without MPI",
    .open = open_self,
    .split = split,
    .post = post,
    .finished = finished,
    .barrier = barrier,
    .reduce = reduce,
    .lost = lost,
    .close = close_self,
};
