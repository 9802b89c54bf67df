/* net.h - the insides of flow.h: links, paths and flows, for flow.c, prune.c and
 * share.c. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_NET_H
#define SP_NET_H

#include <stdbool.h>

#include "sim/agenda.h"
#include "sim/flow.h"

enum sp_flow_state {
    SP_IDLE,                    /* not in flight */
    SP_WAITING,                 /* for its latency, on clock 0 */
    SP_JOINING,                 /* will share links: sp_share() has not seen it */
    SP_SHARING,                 /* its links */
    SP_ALONE,                   /* without links, on clock 0 */
};

/* What is read of every flow whenever rates are found, and what is not. */
struct sp_flow {
    int seen;                   /* stamp of the last time it was met, or given a rate */
    int clock;                  /* by which it ends, or its latency; -1: none */
    int hop;                    /* in sp_net.hop */
    unsigned char kept, hops;   /* the first so many can bind; all */
    unsigned char state;
};

struct sp_need {
    double cap, amount;
    double rate;                /* while it is on clock 0: a second */
};

struct sp_on { int flow; float share; };        /* that crosses a link */

struct sp_line {                /* a link */
    double rate, crossed;
    double shares; int live;    /* of all its flows; so many */
    struct sp_on *on; int n, room;      /* flows; also some that have left, if dirty */
    bool capped;                /* a flow may have a cap */
    bool dirty;                 /* flows came or left, or changed their caps */
};

/* A link while rates are found: what is not yet given away, and to whom it can be. */
struct sp_left {
    double rate, shares;
    int flows, stamp;
    bool full;
};

/* Of the flows that one link holds back, those that cross another. */
struct sp_crossing { int link, flows; double shares; };
struct sp_bunch { struct sp_crossing *pair; int n, room; };

struct sp_route_kept { int hop; unsigned char kept, hops; };

struct sp_net {
    double now, eps;
    struct sp_agenda agenda;    /* clock of link l: l + 1 */
    struct sp_line *line; int nlines;
    struct sp_hop *hop; int nhops;
    struct sp_route_kept *path; int npaths;
    struct sp_flow *flow; struct sp_need *need; int nflows, in_flight;
    bool pruned;

    int *joining; int njoining;
    int *dirty; int ndirty;     /* links */
    bool changed;               /* rates must be found */
    int *done; int ndone, next_done;    /* of this moment, sorted */
    int *moment; int nmoments, moment_room;     /* due now */
    unsigned long *bit; int nbits;      /* to sort ids */

    struct sp_left *left;       /* by link */
    int stamp;                  /* of a group met; + 1: its rate is found */
    int *group; int ngroup;     /* links that depend on each other; those found last */
    int again, met;             /* so often taken as found; flows it had then */
    struct sp_heap levels, caps;

    bool bunched;               /* the group's flows are */
    struct sp_bunch *bunch;     /* by link */
    int *local, *pair_at;       /* place in the group; of a pair, by two places */
    double least_cap;           /* no flow bunched has a smaller one */
};

/* Put those links of each path first that can ever bind. */
void sp_net_prune(struct sp_net *n);

/* Give all flows their rates, where anything changed. */
void sp_share(struct sp_net *n);

/* From now on the flow goes at this rate, by this clock. */
void sp_settle(struct sp_net *n, int id, int clock, double rate);

/* Strike off the flows that have left. */
void sp_line_forget(struct sp_net *n, struct sp_line *line);

/* Bunch the flows of the group that was solved last, if that pays. A flow is about to
 * leave. A link is full: its flows get what they have now; returns how many links they
 * cross. */
void sp_bunch_build(struct sp_net *n);
void sp_bunch_leave(struct sp_net *n, int id);
int sp_bunch_give(struct sp_net *n, int link, double level);

/* What is yet to be done of a flow, links or not. */
double sp_flow_left(const struct sp_net *n, int id);

static inline void sp_net_dirty(struct sp_net *n, int link)
{
    if (!n->line[link].dirty)
        n->dirty[n->ndirty++] = link;
    n->line[link].dirty = true;
    n->changed = true;
}

#endif
