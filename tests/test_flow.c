/* test_flow.c - flows of random networks, against a solver that recomputes everything at
 * every event and against what makes rates max-min fair. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"

enum { LINKS = 12, PATHS = 60, FLOWS = 110, HOPS = 5, SMALL = 40 };

/* A random network, and flows that start at once or when another has ended; then the
 * cap of one that started at once may change. Nothing depends on the order within a
 * moment. */
struct way { struct sp_hop hop[HOPS]; int n; };
struct job {
    int path, after, recap;     /* after, recap: -1: none */
    double latency, amount, cap, new_cap;
};
struct scenario {
    int nlinks, npaths, nflows;
    double rate[LINKS];
    struct way way[PATHS];
    struct job job[FLOWS];
};

static unsigned long random_state;

static int below(int n)
{
    random_state = random_state * 6364136223846793005ul + 1442695040888963407ul;
    return (int)((random_state >> 33) % (unsigned long)n);
}

static double real(double low, double high)
{
    return low + (high - low) * below(1 << 30) / (1 << 30);
}

/* Over some of so many links from `first` on. */
static struct way random_way(int first, int nlinks)
{
    static const float shares[] = { 0.125f, 0.5f, 3, 7168 };
    struct way w = { .n = 1 + below(nlinks < HOPS ? nlinks : HOPS) };
    int link = below(nlinks);
    const bool plain = below(3) > 0;
    for (int i = 0; i < w.n; i++) {
        w.hop[i] = (struct sp_hop){ first + link, plain ? 1 : shares[below(4)] };
        link = (link + 1) % nlinks;
    }
    return w;
}

/* Few different sizes give many ties. In a crowd, so many flows start at once and end one
 * after the other that they are bunched; maybe some over one half of the links, the rest
 * over the other. */
static struct scenario random_scenario(unsigned long seed)
{
    random_state = seed * 2654435761ul + 1;
    const bool crowd = seed % 20 == 9, halves = crowd && below(2);
    struct scenario s = {
        .nlinks = crowd ? LINKS : 1 + below(LINKS),
        .npaths = crowd ? PATHS : 1 + below(PATHS),
        .nflows = crowd ? FLOWS - below(SMALL) : 1 + below(SMALL),
    };
    const bool ties = below(2), caps = below(crowd ? 4 : 2) == 0;
    const bool recaps = crowd ? below(2) : caps;
    for (int i = 0; i < s.nlinks; i++)
        s.rate[i] = ties ? 10.0 * (1 + below(3)) : real(1, 100);
    for (int i = 0; i < s.npaths; i++)
        s.way[i] = halves ? random_way(i % 4 ? 0 : LINKS / 2, LINKS / 2)
                          : random_way(0, s.nlinks);
    for (int i = 0; i < s.nflows; i++) {
        struct job *j = &s.job[i];
        j->path = below(8) ? below(s.npaths) : -1;
        j->after = i && below(2) && (!crowd || i < 4) ? below(i) : -1;
        j->latency = below(3) ? ties ? 0.25 : real(0, 1) : 0;
        j->amount = ties && !crowd ? 100.0 * (1 + below(2)) : real(0, 200);
        j->amount = below(10) ? j->amount : 0;
        j->cap = j->path < 0 || (caps && below(2)) ? real(1, 40) : INFINITY;
        j->new_cap = crowd ? real(0.1, 8) : real(1, 40);
        const int other = below(i + 1);
        const bool recap = recaps && !below(crowd ? 10 : 2);
        j->recap = recap && s.job[other].after < 0 ? other : -1;
    }
    return s;
}

static const struct way *way_of(const struct scenario *s, int flow)
{
    static const struct way none;
    return s->job[flow].path < 0 ? &none : &s->way[s->job[flow].path];
}

/* ---- the simplest solver, in more digits ------------------------------------------- */

struct naive {
    enum { UNBORN, LATENT, RUNNING, ENDED } state;
    long double left, rate, cap;
};

/* What a flow without a rate would get, were its links shared evenly by all such
 * flows. */
static long double even_share(const struct scenario *s, const struct naive *f, int flow,
                              const long double *room, const long double *shares)
{
    const struct way *w = way_of(s, flow);
    long double rate = f[flow].cap;
    for (int h = 0; h < w->n; h++)
        rate = fminl(rate, fmaxl(room[w->hop[h].link], 0) / shares[w->hop[h].link]);
    return rate;
}

/* Progressive filling, one flow at a time. */
static void naive_rates(const struct scenario *s, struct naive *f)
{
    long double room[LINKS];
    for (int l = 0; l < s->nlinks; l++)
        room[l] = s->rate[l];
    for (int i = 0; i < s->nflows; i++)
        f[i].rate = f[i].state == RUNNING ? -1 : 0;
    for (;;) {
        long double shares[LINKS] = { 0 }, lowest = INFINITY;
        int least = -1;
        for (int i = 0; i < s->nflows; i++)
            for (int h = 0; f[i].rate < 0 && h < way_of(s, i)->n; h++)
                shares[way_of(s, i)->hop[h].link] += (double)way_of(s, i)->hop[h].share;
        for (int i = 0; i < s->nflows; i++) {
            if (f[i].rate >= 0)
                continue;
            const long double rate = even_share(s, f, i, room, shares);
            if (rate < lowest) {
                lowest = rate;
                least = i;
            }
        }
        if (least < 0)
            return;
        f[least].rate = lowest;
        for (int h = 0; h < way_of(s, least)->n; h++)
            room[way_of(s, least)->hop[h].link] -=
                lowest * (long double)way_of(s, least)->hop[h].share;
    }
}

/* The start of all flows that wait for this one (-1: for none), and a cap that
 * changes. */
static void naive_after(const struct scenario *s, struct naive *f, int ended)
{
    for (int i = 0; i < s->nflows; i++)
        if (s->job[i].after == ended) {
            const bool waits = s->job[i].latency > 0;
            f[i].state = waits ? LATENT : RUNNING;
            f[i].left = waits ? s->job[i].latency : s->job[i].amount;
            f[i].cap = s->job[i].cap;
        }
    const int recap = ended < 0 ? -1 : s->job[ended].recap;
    if (recap >= 0)
        f[recap].cap = s->job[recap].new_cap;
}

/* When each flow ends. A latency is work, too, at rate 1. */
static void naive_run(const struct scenario *s, double *end)
{
    struct naive f[FLOWS] = { 0 };
    long double now = 0;
    naive_after(s, f, -1);
    for (;;) {
        long double step = INFINITY;
        naive_rates(s, f);
        for (int i = 0; i < s->nflows; i++) {
            if (f[i].state == LATENT)
                f[i].rate = 1;
            if (f[i].state == LATENT || f[i].state == RUNNING)
                step = fminl(step, f[i].left / f[i].rate);
        }
        if (step == INFINITY)
            return;
        now += step;
        bool over[FLOWS] = { false };
        for (int i = 0; i < s->nflows; i++) {
            over[i] = (f[i].state == LATENT || f[i].state == RUNNING) &&
                      f[i].left / f[i].rate <= step + 1e-14 * now;
            f[i].left -= step * f[i].rate;
        }
        for (int i = 0; i < s->nflows; i++) {
            if (!over[i])
                continue;
            f[i].left = s->job[i].amount;
            f[i].state++;
            if (f[i].state == ENDED) {
                end[i] = (double)now;
                naive_after(s, f, i);
            }
        }
    }
}

/* ---- the engine -------------------------------------------------------------------- */

static double rate_of(const struct sp_net *n, int id)
{
    const int clock = n->flow[id].clock;
    return clock ? n->agenda.dial[clock].speed : n->need[id].rate;
}

/* No link is over its rate; each flow has its cap, or a full link on which none is
 * faster. That is what max-min fair means. */
static void check_fair(struct sp_net *n)
{
    double *load = calloc((size_t)n->nlines, sizeof *load);
    double *most = calloc((size_t)n->nlines, sizeof *most);
    sp_share(n);
    for (int id = 0; id < n->nflows; id++)
        for (int i = 0; i < n->flow[id].hops && n->flow[id].state == SP_SHARING; i++) {
            const struct sp_hop *h = &n->hop[n->flow[id].hop + i];
            load[h->link] += rate_of(n, id) * (double)h->share;
            most[h->link] = fmax(most[h->link], rate_of(n, id));
        }
    for (int l = 0; l < n->nlines; l++)
        assert_true(load[l] <= n->line[l].rate * (1 + 1e-9));
    for (int id = 0; id < n->nflows; id++) {
        const struct sp_flow *f = &n->flow[id];
        if (f->state != SP_SHARING)
            continue;
        bool held = rate_of(n, id) >= n->need[id].cap * (1 - 1e-9);
        assert_true(rate_of(n, id) <= n->need[id].cap * (1 + 1e-9));
        for (int i = 0; i < f->hops; i++) {
            const int l = n->hop[f->hop + i].link;
            held |= load[l] >= n->line[l].rate * (1 - 1e-9) &&
                    rate_of(n, id) >= most[l] * (1 - 1e-9);
        }
        assert_true(held);
    }
    free(load);
    free(most);
}

/* How links and flows are numbered: that must not matter. */
struct labels { int link[LINKS], flow[FLOWS], job[FLOWS]; };

static struct labels labels_new(const struct scenario *s, bool shuffled)
{
    struct labels l;
    for (int i = 0; i < LINKS; i++)
        l.link[i] = i;
    for (int i = 0; i < FLOWS; i++)
        l.flow[i] = i;
    for (int i = s->nlinks - 1; shuffled && i > 0; i--) {
        const int j = below(i + 1), link = l.link[i];
        l.link[i] = l.link[j];
        l.link[j] = link;
    }
    for (int i = s->nflows - 1; shuffled && i > 0; i--) {
        const int j = below(i + 1), flow = l.flow[i];
        l.flow[i] = l.flow[j];
        l.flow[j] = flow;
    }
    for (int i = 0; i < FLOWS; i++)
        l.job[l.flow[i]] = i;
    return l;
}

static struct sp_net *net_of(const struct scenario *s, const struct labels *l, double eps)
{
    double rate[LINKS] = { 0 };
    for (int i = 0; i < s->nlinks; i++)
        rate[l->link[i]] = s->rate[i];
    struct sp_net *n = sp_net_new(rate, s->nlinks, eps);
    for (int i = 0; i < s->npaths; i++) {
        struct way w = s->way[i];
        for (int h = 0; h < w.n; h++)
            w.hop[h].link = l->link[w.hop[h].link];
        assert_int_equal(sp_net_path(n, w.hop, w.n), i);
    }
    return n;
}

static void after(const struct scenario *s, const struct labels *l, struct sp_net *n,
                  int ended)
{
    for (int i = 0; i < s->nflows; i++) {
        const struct job *j = &s->job[i];
        if (j->after == ended)
            sp_net_start(n, l->flow[i], j->path, j->latency, j->amount, j->cap);
    }
    const int recap = ended < 0 ? -1 : s->job[ended].recap;
    if (recap >= 0 && l->flow[recap] < n->nflows &&
        n->flow[l->flow[recap]].state != SP_IDLE)
        sp_net_cap(n, l->flow[recap], s->job[recap].new_cap);
}

static void check_crossed(const struct scenario *s, const struct labels *l,
                          const struct sp_net *n)
{
    double bytes[LINKS] = { 0 };
    for (int i = 0; i < s->nflows; i++)
        for (int h = 0; h < way_of(s, i)->n; h++)
            bytes[way_of(s, i)->hop[h].link] +=
                s->job[i].amount * (double)way_of(s, i)->hop[h].share;
    for (int i = 0; i < s->nlinks; i++)
        assert_float_equal(sp_net_crossed(n, l->link[i]), bytes[i], 1e-9 * bytes[i]);
}

static void run(const struct scenario *s, const struct labels *l, double eps, double *end)
{
    struct sp_net *n = net_of(s, l, eps);
    double before = 0;
    int ended = 0;
    after(s, l, n, -1);
    for (int id; check_fair(n), (id = sp_net_wait(n)) >= 0;) {
        assert_true(sp_net_now(n) >= before);
        before = sp_net_now(n);
        end[l->job[id]] = before;
        after(s, l, n, l->job[id]);
        ended++;
    }
    assert_int_equal(ended, s->nflows);
    check_crossed(s, l, n);
    sp_net_free(n);
}

/* ---- tests ------------------------------------------------------------------------- */

enum { SCENARIOS = 1000 };

static void test_naive(void **state)
{
    (void)state;
    for (unsigned long seed = 0; seed < SCENARIOS; seed++) {
        const struct scenario s = random_scenario(seed);
        for (int shuffled = 0; shuffled < 2; shuffled++) {
            const struct labels l = labels_new(&s, shuffled);
            double end[FLOWS], naive[FLOWS];
            run(&s, &l, 0, end);
            naive_run(&s, naive);
            for (int i = 0; i < s.nflows; i++)
                if (fabs(end[i] - naive[i]) > 1e-9 * naive[i])
                    fail_msg("seed %lu, flow %d of %d: ends at %.12g, not at %.12g", seed,
                             i, s.nflows, end[i], naive[i]);
        }
    }
}

/* The same calls give the same bits. */
static void test_repeats(void **state)
{
    (void)state;
    for (unsigned long seed = 0; seed < 50; seed++) {
        const struct scenario s = random_scenario(seed);
        const struct labels l = labels_new(&s, false);
        double once[FLOWS] = { 0 }, again[FLOWS] = { 0 };
        run(&s, &l, 0, once);
        run(&s, &l, 0, again);
        assert_memory_equal(once, again, sizeof once);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naive),
        cmocka_unit_test(test_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
