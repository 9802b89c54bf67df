/* state.h - what the clock has running: shared by sim.c, which computes, and message.c. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_STATE_H
#define SP_STATE_H

#include "sim/flow.h"
#include "sim/sim.h"

enum { SP_NONE = -1, SP_ENDS = 2 };

struct sp_batch {               /* what a lane has been given */
    const int *step;
    int n, left;
    int begun;                  /* computations before this place have begun */
    int moves;
    double latency;             /* the longest of its messages */
    int queue[SP_ENDS][SP_NPATH_CLASSES];       /* messages that wait for their turn */
};

struct sp_track {               /* a lane of a rank */
    struct sp_batch b;
    int running;                /* a computation, or SP_NONE ... */
    bool fresh;                 /* ... which is no flow yet */
    double since, amount, cap;
    double latency; long groups;
};

struct sp_runner {              /* a rank */
    struct sp_track lane[SP_NLANES];
    int flying, first;          /* messages that slow it; the list of all ends that are here */
    int held;                   /* groups of messages that hold slots */
    double slowed;
    bool computing, computed;   /* now, and when rates were last set */
    bool dirty;
};

struct sp_sim {
    struct sp_executor x;
    const struct sp_scene *s;
    const struct sp_plan *p;
    struct sp_sim_options o;
    struct sp_net *net;
    int *path;                  /* by way */
    enum sp_pass pass;          /* that is running */
    struct sp_runner *rank;
    int *active, hosts;         /* by host: ranks that compute */
    double *issued;             /* by step: when its host has issued it; NULL: at once */
    char *state;                /* by step; see message.c */
    int *turn;                  /* by step: of messages, the place in its group, this way;
                                   then the number of its flow */
    int *next, *prev;           /* by step: in a queue, or among the flying of a rank */
    int *done, ndone, told;     /* finished, not yet told of */
    int *carried, ncarried;     /* by flow that is none of a lane: its step */
    int *unused, nunused;       /* such flows that are free */
    int *dirty, ndirty;         /* ranks whose computing or rates may change */
    int *ready, nready;         /* messages of which both ends wait */
    struct sp_ticket { long key; int step; } *ticket; int ntickets;      /* of one group */
};

static inline bool sp_sim_move(const struct sp_sim *x, int step)
{
    return x->p->step[step].twin >= 0;
}

static inline struct sp_runner *sp_sim_rank(const struct sp_sim *x, int step)
{
    return &x->rank[x->p->step[step].rank];
}

static inline struct sp_track *sp_sim_lane(const struct sp_sim *x, int step)
{
    return &sp_sim_rank(x, step)->lane[x->p->step[step].lane];
}

/* Flows: a computation of each lane, then messages. */
static inline int sp_sim_first_message(const struct sp_sim *x)
{
    return x->p->pb.ranks * SP_NLANES;
}

/* How long from now until the host of its rank has issued a step. */
static inline double sp_sim_unissued(const struct sp_sim *x, int step)
{
    double late = x->issued ? x->issued[step] - sp_net_now(x->net) : 0;
    return late > 0 ? late : 0;
}

/* host.c: sp_sim.issued. free() it. */
double *sp_sim_issue_times(const struct sp_sim *x);

/* sim.c: whether the mode has nothing to do for a step; a rank's computing or rates may have to
 * change; a step is through. */
bool sp_sim_left_out(const struct sp_sim *x, int step);
void sp_sim_touch(struct sp_sim *x, int rank);
void sp_sim_finish(struct sp_sim *x, int step);

/* message.c. The messages of a group are posted; those that can start do; rates of those at a
 * rank follow its computing; a flow that was a message is through. */
void sp_messages_post(struct sp_sim *x, struct sp_batch *b);
void sp_messages_start(struct sp_sim *x);
void sp_messages_rates(struct sp_sim *x, int rank);
void sp_message_through(struct sp_sim *x, int flow);

#endif
