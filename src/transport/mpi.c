/* mpi.c - ranks over MPI. One communicator a lane, so lanes never mix; the thread that
 * opened it makes all calls (MPI_THREAD_FUNNELED). Nothing moves unless `finished` is called:
 * Open MPI has no progress of its own. */
/* SPDX-License-Identifier: MIT */
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan/plan.h"
#include "transport/transport.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/stop.h"

#define MPI(call) mpi_check((call), #call, __FILE__, __LINE__)

enum { LARGE = 1 << 20 };

extern const struct sp_transport sp_transport_mpi;

struct mpi {
    struct sp_comm c;
    bool world;                         /* made by open */
    MPI_Comm lane[SP_NLANES], watch;
    MPI_Request *request;               /* of the wires in flight */
    struct sp_wire *wire;
    int *done;                          /* scratch of Testsome */
    MPI_Status *status;
    int flying, room;
    int *ready, first, last;            /* steps that are done and not yet told */
};

static void mpi_check(int code, const char *call, const char *file, int line)
{
    if (code == MPI_SUCCESS)
        return;
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0, rank = -1;
    MPI_Error_string(code, text, &n);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    sp_stop(SP_EXIT_ENVIRONMENT, "%s:%d: rank %d: %.80s: %s", file, line, rank, call, text);
}

static void end_all(int code)
{
    int over = 0;
    MPI_Finalized(&over);
    if (!over)
        MPI_Abort(MPI_COMM_WORLD, code);
}

/* ---- communicators ---------------------------------------------------------------- */

static struct sp_comm *comm_new(MPI_Comm base)
{
    struct mpi *m = sp_alloc(sizeof *m);
    MPI_Comm host;
    m->c.transport = &sp_transport_mpi;
    for (int i = 0; i < SP_NLANES; i++)
        MPI(MPI_Comm_dup(base, &m->lane[i]));
    MPI(MPI_Comm_dup(base, &m->watch));
    MPI(MPI_Comm_rank(base, &m->c.rank));
    MPI(MPI_Comm_size(base, &m->c.ranks));
    MPI(MPI_Comm_split_type(base, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host));
    MPI(MPI_Comm_size(host, &m->c.local));
    MPI(MPI_Comm_free(&host));
    return &m->c;
}

static struct sp_comm *open_mpi(const char **why)
{
    static char text[120];
    int level;
    MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level));
    MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    sp_stop_with(end_all);
    if (level < MPI_THREAD_FUNNELED) {
        snprintf(text, sizeof text, "this MPI has thread level %d, and funneled (%d) is needed",
                 level, MPI_THREAD_FUNNELED);
        *why = text;
        return NULL;
    }
    struct sp_comm *c = comm_new(MPI_COMM_WORLD);
    ((struct mpi *)c)->world = true;
    return c;
}

static struct sp_comm *split(struct sp_comm *c, int ranks)
{
    MPI_Comm part;
    bool in = c->rank < ranks;
    MPI(MPI_Comm_split(((struct mpi *)c)->watch, in ? 0 : MPI_UNDEFINED, c->rank, &part));
    if (!in)
        return NULL;
    struct sp_comm *s = comm_new(part);
    MPI(MPI_Comm_free(&part));
    return s;
}

static void close_mpi(struct sp_comm *c)
{
    struct mpi *m = (struct mpi *)c;
    bool world = m->world;
    for (int i = 0; i < SP_NLANES; i++)
        MPI(MPI_Comm_free(&m->lane[i]));
    MPI(MPI_Comm_free(&m->watch));
    free(m->request);
    free(m->wire);
    free(m->done);
    free(m->status);
    free(m->ready);
    free(m);
    if (world)
        MPI(MPI_Finalize());
}

/* ---- messages --------------------------------------------------------------------- */

/* Counts are ints in MPI: large messages are counted in pieces of 1 MiB, and a rest. */
static MPI_Datatype type_of(size_t bytes, int *count)
{
    *count = (int)bytes;
    if (bytes <= (size_t)LARGE * 1024)
        return MPI_BYTE;
    MPI_Datatype piece, whole;
    int lengths[] = { (int)(bytes / LARGE), (int)(bytes % LARGE) };
    MPI_Aint at[] = { 0, (MPI_Aint)(bytes / LARGE) * LARGE };
    MPI(MPI_Type_contiguous(LARGE, MPI_BYTE, &piece));
    MPI_Datatype types[] = { piece, MPI_BYTE };
    MPI(MPI_Type_create_struct(2, lengths, at, types, &whole));
    MPI(MPI_Type_commit(&whole));
    MPI(MPI_Type_free(&piece));
    *count = 1;
    return whole;
}

static void make_room(struct mpi *m, int n)
{
    if (m->flying + n <= m->room)
        return;
    m->room = 2 * (m->flying + n);
    size_t room = (size_t)m->room;
    m->request = realloc(m->request, room * sizeof *m->request);
    m->wire = realloc(m->wire, room * sizeof *m->wire);
    m->done = realloc(m->done, room * sizeof *m->done);
    m->status = realloc(m->status, room * sizeof *m->status);
    m->ready = realloc(m->ready, room * sizeof *m->ready);
    if (!m->request || !m->wire || !m->done || !m->status || !m->ready)
        sp_stop(SP_EXIT_MEMORY, "out of memory: %d messages in flight", m->room);
}

static void start(struct mpi *m, const struct sp_wire *w)
{
    int count;
    MPI_Datatype type = type_of(w->bytes, &count);
    MPI_Request *request = &m->request[m->flying];
    if (w->send)
        MPI(MPI_Isend(w->data, count, type, w->peer, 0, m->lane[w->lane], request));
    else
        MPI(MPI_Irecv(w->data, count, type, w->peer, 0, m->lane[w->lane], request));
    if (type != MPI_BYTE)
        MPI(MPI_Type_free(&type));
    m->wire[m->flying++] = *w;
}

/* Receives first: what arrives then has a place to go. */
static void post(struct sp_comm *c, const struct sp_wire *w, int n)
{
    struct mpi *m = (struct mpi *)c;
    make_room(m, n);
    for (int i = 0; i < n; i++)
        if (!w[i].send)
            start(m, &w[i]);
    for (int i = 0; i < n; i++)
        if (w[i].send)
            start(m, &w[i]);
}

static void note(struct mpi *m, const struct sp_wire *w, MPI_Status *status)
{
    MPI_Count bytes = 0;
    m->ready[m->last++] = w->step;
    if (w->send) {
        m->c.moved.sent += w->bytes;
        m->c.moved.messages++;
    } else {
        MPI(MPI_Get_elements_x(status, MPI_BYTE, &bytes));
        m->c.moved.received += (size_t)bytes;
    }
}

static int finished(struct sp_comm *c)
{
    struct mpi *m = (struct mpi *)c;
    int n = 0, kept = 0;
    if (m->first < m->last)
        return m->ready[m->first++];
    m->first = m->last = 0;
    if (!m->flying)
        return -1;
    MPI(MPI_Testsome(m->flying, m->request, &n, m->done, m->status));
    if (n <= 0)
        return -1;
    for (int i = 0; i < n; i++)
        note(m, &m->wire[m->done[i]], &m->status[i]);
    for (int i = 0; i < m->flying; i++)
        if (m->request[i] != MPI_REQUEST_NULL) {
            m->request[kept] = m->request[i];
            m->wire[kept++] = m->wire[i];
        }
    m->flying = kept;
    return m->ready[m->first++];
}

/* ---- waiting together ------------------------------------------------------------------ */

static void lost(struct sp_comm *c, int peer, const char *what);

/* Yield at first, for ranks that come within milliseconds; then sleep between looks. */
static void wait_for(struct mpi *m, MPI_Request *request, const char *what)
{
    double start = sp_now();
    for (int over = 0;;) {
        MPI(MPI_Test(request, &over, MPI_STATUS_IGNORE));
        if (over)
            return;
        double waited = sp_now() - start;
        if (m->c.patience > 0 && waited > m->c.patience)
            lost(&m->c, -1, what);
        if (waited < 2e-3)
            sched_yield();
        else
            nanosleep(&(struct timespec){ .tv_nsec = waited < 1 ? 200000 : 2000000 }, NULL);
    }
}

static void barrier(struct sp_comm *c)
{
    struct mpi *m = (struct mpi *)c;
    MPI_Request request;
    MPI(MPI_Ibarrier(m->lane[0], &request));
    wait_for(m, &request, "at a barrier");
}

static void reduce(struct sp_comm *c, double *x, int n, enum sp_reduce how)
{
    struct mpi *m = (struct mpi *)c;
    MPI_Request request;
    MPI(MPI_Iallreduce(MPI_IN_PLACE, x, n, MPI_DOUBLE, how == SP_MAX ? MPI_MAX : MPI_SUM,
                       m->lane[0], &request));
    wait_for(m, &request, "for a sum over all ranks");
}

/* ---- who is missing ----------------------------------------------------------------------- */

enum { ROLL_CALL_S = 2 };

struct report { int rank, peer; char what[96]; };

/* Tell all ranks what this one waits for, and hear what the others do, for a while. Who says
 * nothing is not waiting: it computes, is stopped, or is gone. */
static void roll_call(struct mpi *m, const struct report *mine, struct report *all)
{
    MPI_Request request;
    for (int r = 0; r < m->c.ranks; r++) {
        all[r].rank = -1;
        if (r != m->c.rank && MPI_Isend(mine, sizeof *mine, MPI_BYTE, r, 1, m->watch, &request)
                              == MPI_SUCCESS)
            MPI_Request_free(&request);
    }
    all[m->c.rank] = *mine;
    for (double end = sp_now() + ROLL_CALL_S; sp_now() < end;) {
        int there = 0;
        struct report r;
        MPI_Status status;
        if (MPI_Iprobe(MPI_ANY_SOURCE, 1, m->watch, &there, &status) == MPI_SUCCESS && there
            && MPI_Recv(&r, sizeof r, MPI_BYTE, status.MPI_SOURCE, 1, m->watch, MPI_STATUS_IGNORE)
               == MPI_SUCCESS)
            all[status.MPI_SOURCE] = r;
        else
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
}

/* Follow who waits for whom to one who doesn't wait; without a peer, anyone who doesn't. */
static int culprit(const struct report *all, int ranks, int from)
{
    int at = from;
    for (int hops = 0; hops < ranks && all[at].rank >= 0 && all[at].peer >= 0; hops++)
        at = all[at].peer;
    for (int r = 0; r < ranks && all[at].rank >= 0; r++)
        if (all[r].rank < 0)
            at = r;
    return at;
}

static void lost(struct sp_comm *c, int peer, const char *what)
{
    struct mpi *m = (struct mpi *)c;
    struct report mine = { .rank = c->rank, .peer = peer };
    snprintf(mine.what, sizeof mine.what, "%s", what);
    struct report *all = sp_alloc((size_t)c->ranks * sizeof *all);
    roll_call(m, &mine, all);
    int first = 0;
    while (all[first].rank < 0)
        first++;
    if (first != c->rank)               /* one speaks; the others give it time to end us all */
        nanosleep(&(struct timespec){ .tv_sec = 2 * ROLL_CALL_S }, NULL);
    int who = culprit(all, c->ranks, c->rank);
    if (all[who].rank < 0)
        sp_stop(SP_EXIT_TIMEOUT, "no progress for %g s: rank %d waits %s, and in the end all wait for "
                "rank %d, which does not answer (busy, stopped or gone)", c->patience, c->rank, what,
                who);
    sp_stop(SP_EXIT_TIMEOUT, "no progress for %g s: rank %d waits %s, and rank %d waits %s",
            c->patience, c->rank, what, who, all[who].what);
}

const struct sp_transport sp_transport_mpi = {
    .name = "mpi",
    .help = "ranks over MPI",
    .open = open_mpi,
    .split = split,
    .post = post,
    .finished = finished,
    .barrier = barrier,
    .reduce = reduce,
    .lost = lost,
    .close = close_mpi,
};
