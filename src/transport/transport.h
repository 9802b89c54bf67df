/* transport.h - the wires between ranks. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TRANSPORT_H
#define SP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

/* One end of a message. Messages between two ranks on one lane arrive in the order posted. */
struct sp_wire { void *data; size_t bytes; int peer, lane, step; bool send; };

enum sp_reduce { SP_MAX, SP_SUM };

struct sp_moved { size_t sent, received; long messages; };  /* messages: sent */

/* Ranks that work together; made by a transport, freed by its close. */
struct sp_comm {
    const struct sp_transport *transport;
    int rank, ranks;
    int local;                          /* of its ranks, how many on this host */
    double patience;                    /* seconds to wait for another rank; 0: for ever */
    struct sp_moved moved;              /* since the caller last set it to 0 */
};

struct sp_transport {
    const char *name, *help;

    /* All ranks of this launch. NULL, and *why, if there is no such launch. */
    struct sp_comm *(*open)(const char **why);

    /* Its first `ranks` ranks; NULL on the others. All ranks of c call it. */
    struct sp_comm *(*split)(struct sp_comm *c, int ranks);

    void (*post)(struct sp_comm *c, const struct sp_wire *w, int n);
    int  (*finished)(struct sp_comm *c);        /* the step of a wire that is done; -1: none */

    /* Waiting in these two leaves the processor to others. */
    void (*barrier)(struct sp_comm *c);
    void (*reduce)(struct sp_comm *c, double *x, int n, enum sp_reduce how);   /* in place, all */

    /* This rank has waited too long for `peer`, in the step that `what` names. Those who wait
     * find out for whom they all do, say so, and end the launch (exit 6). No return. */
    void (*lost)(struct sp_comm *c, int peer, const char *what);

    void (*close)(struct sp_comm *c);           /* of what open made: the last call */
};

extern const struct sp_transport *const sp_transports[];        /* ends with NULL */
const struct sp_transport *sp_transport_find(const char *name);

/* "mpi" under a launcher, else "self". */
const struct sp_transport *sp_transport_default(void);

#endif
