/* predict.c - run a plan on a machine in all ways that are asked for, and say what bounds it. */
/* SPDX-License-Identifier: MIT */
#include "sim/predict.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/why.h"

static const double host_bound = 0.8,   /* of the time, until all has been issued */
                    hidden = 0.02,      /* of computing: so little exposed is hidden */
                    same = 1e-9;

struct job {
    const struct sp_plan *p;
    const struct sp_topo *t;
    const struct sp_forecast_options *o;
    struct sp_scene *s;
    struct sp_loop *loop;
    bool streams;
    double eps;
    struct sp_span *span;       /* by step of the scene; NULL: not asked for */
};

/* One run. */
struct outcome {
    double time;
    struct sp_sim_tale tale;
    double bytes[SP_NLINK_KINDS];
    int fullest;                /* link of the scene; -1: none was used */
    double busy;
};

static enum sp_link_kind kind_of(const struct job *j, int link)
{
    return j->t->link[j->s->link_of[link]].kind;
}

/* Of links that are equally full, one of the network rather than one that leads to it. */
static void read_links(const struct job *j, const struct sp_sim *x, struct outcome *out)
{
    out->fullest = -1;
    for (int i = 0; i < j->s->nlinks; i++) {
        double crossed = sp_sim_crossed(x, i);
        double busy = crossed / (j->s->rate[i] * out->time);
        enum sp_link_kind kind = kind_of(j, i);
        out->bytes[kind] += crossed * (j->s->stands ? j->s->stands[i] : 1);
        bool later = out->fullest >= 0 && kind > kind_of(j, out->fullest);
        if (crossed > 0 && busy > out->busy * (later ? 1 - same : 1 + same)) {
            out->busy = busy;
            out->fullest = i;
        }
    }
}

static struct outcome run(struct job *j, enum sp_pass pass, enum sp_sim_mode mode)
{
    struct sp_span *span = mode == SP_SIM_OVERLAPPED ? j->span : NULL;
    struct sp_sim *x = sp_sim_new(j->s, &(struct sp_sim_options){
        .mode = mode, .eps = mode == SP_SIM_COMPUTE ? 0 : j->eps, .jitter = j->o->jitter,
        .seed = j->o->seed, .streams = j->streams, .span = span });
    struct sp_executor *e = sp_sim_executor(x);
    struct outcome out = { 0 };
    const char *why = sp_loop_run(j->loop, pass, e, span);
    out.time = why ? NAN : e->now(e);
    out.tale = sp_sim_tale(x);
    read_links(j, x, &out);
    sp_sim_free(x);
    return out;
}

/* ---- why ------------------------------------------------------------------------------------- */

struct text { char text[24]; };

static struct text in_units(double seconds)
{
    struct text t;
    double x = fabs(seconds);
    if (x < 1e-3)
        snprintf(t.text, sizeof t.text, "%.3g us", seconds * 1e6);
    else if (x < 1)
        snprintf(t.text, sizeof t.text, "%.3g ms", seconds * 1e3);
    else
        snprintf(t.text, sizeof t.text, "%.3g s", seconds);
    return t;
}

static const char *end_name(const struct job *j, int link, bool to)
{
    const struct sp_link *l = &j->t->link[j->s->link_of[link]];
    return j->t->vertex[to ? l->to : l->from].name;
}

static void blame_network(const struct job *j, const struct outcome *comm,
                          struct sp_forecast_pass *f)
{
    int link = comm->fullest;
    double rate = j->s->rate[link] / 1e9;
    const char *from = end_name(j, link, false), *to = end_name(j, link, true);
    struct text late = in_units(f->exposed);
    f->bottleneck = j->s->link_of[link];
    f->busy = comm->busy;
    if (comm->tale.latency >= comm->time / 2)
        snprintf(f->why, sizeof f->why, "latency: %ld groups of messages x %s, one after another",
                 comm->tale.groups,
                 in_units(comm->tale.latency / (double)comm->tale.groups).text);
    else if (comm->busy >= 0.5)
        snprintf(f->why, sizeof f->why, "communication takes %s longer than computing hides: "
                 "%s -> %s carries %.0f %% of its %.1f GB/s", late.text, from, to,
                 100 * comm->busy, rate);
    else
        snprintf(f->why, sizeof f->why, "communication takes %s longer than computing hides: "
                 "messages can't fill the links; the fullest, %s -> %s, carries %.0f %% of its "
                 "%.1f GB/s", late.text, from, to, 100 * comm->busy, rate);
}

static void blame(const struct job *j, const struct outcome *run, const struct outcome *compute,
                  const struct outcome *comm, struct sp_forecast_pass *f)
{
    double slowed = run->tale.slowed - compute->tale.slowed;
    if (run->tale.issued >= host_bound * run->time)
        snprintf(f->why, sizeof f->why, "host: a rank's host needs %s to issue its steps, %s each: "
                 "a CUDA graph, larger steps or fewer ranks would help",
                 in_units(run->tale.issued).text, in_units(j->s->profile->issue).text);
    else if (run->fullest < 0 && !run->tale.groups)
        snprintf(f->why, sizeof f->why, "kernels: nothing is sent");
    else if (f->exposed <= hidden * compute->time)
        snprintf(f->why, sizeof f->why, "kernels: communication is hidden but for %.1f %%",
                 fmax(0, 100 * f->exposed / run->time));
    else if (slowed >= f->exposed / 2 && comm->time < compute->time)
        snprintf(f->why, sizeof f->why, "kernels: communication is hidden but slows them: they "
                 "take %s longer, %.0f %%, while messages are in flight", in_units(slowed).text,
                 100 * slowed / compute->time);
    else if (comm->time < f->exposed / 2)
        snprintf(f->why, sizeof f->why, "waiting: ranks compute unequally and wait for each other, "
                 "%s in all; communication alone takes %s", in_units(f->exposed).text,
                 in_units(comm->time).text);
    else if (comm->fullest >= 0)
        blame_network(j, comm, f);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static struct sp_forecast_pass forecast(struct job *j, enum sp_pass pass)
{
    struct sp_forecast_pass f = { .bottleneck = -1 };
    struct outcome out[4] = { { 0 } };
    static const enum sp_sim_mode order[] = { SP_SIM_OVERLAPPED, SP_SIM_COMPUTE, SP_SIM_COMM,
                                              SP_SIM_SERIALISED };
    for (int i = 0; i < 4; i++) {
        enum sp_sim_mode mode = order[i];
        bool need = j->o->decompose || i < 2
                    || (mode == SP_SIM_COMM && f.exposed > hidden * out[SP_SIM_COMPUTE].time);
        f.time[mode] = NAN;
        if (!need)
            continue;
        out[mode] = run(j, pass, mode);
        f.time[mode] = out[mode].time + j->s->profile->pass;
        f.exposed = out[SP_SIM_OVERLAPPED].time - out[SP_SIM_COMPUTE].time;
    }
    memcpy(f.bytes, out[SP_SIM_OVERLAPPED].bytes, sizeof f.bytes);
    if (!isnan(f.exposed))
        blame(j, &out[SP_SIM_OVERLAPPED], &out[SP_SIM_COMPUTE], &out[SP_SIM_COMM], &f);
    return f;
}

/* What the profile can't tell; NULL: nothing. */
static const char *unknown(const struct sp_scene *s)
{
    for (int i = 0; i < s->plan->nsteps; i++)
        if (isnan(s->work[i]))
            return sp_why("profile %s knows no kernel for %s in %s; --profile FILE or --dtype "
                          "would say another", s->profile->name,
                          sp_ops[s->plan->step[i].op].name, sp_dtype_names[s->plan->pb.dtype]);
    return NULL;
}

/* Whether messages have sizes that were measured, on ways that were. */
static bool messages_inside(const struct sp_scene *s)
{
    bool inside = true;
    for (int i = 0; i < s->plan->nsteps && inside; i++) {
        if (s->way[i] < 0)
            continue;
        const struct sp_path_fit *f = &s->profile->path[s->ways[s->way[i]].class];
        inside = f->known;
        sp_curve_at(&f->efficiency, s->bytes[i], &inside);
    }
    return inside;
}

/* Messages that a rank's group has, on average, and how many groups of them a rank has. */
struct burst { double messages, groups; };

static struct burst bursts(const struct sp_plan *p)
{
    long messages = 0, groups = 0;
    int *last = sp_alloc((size_t)p->pb.ranks * SP_NLANES * sizeof *last);
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_step *s = &p->step[i];
        if (s->op != SP_SEND)
            continue;
        int *group = &last[s->rank * SP_NLANES + s->lane];
        groups += *group != s->group + 1;
        *group = s->group + 1;
        messages++;
    }
    free(last);
    return (struct burst){ groups ? (double)messages / (double)groups : 0,
                           (double)groups / p->pb.ranks };
}

/* Seconds that the link with most to carry needs. */
static double load(const struct sp_scene *s)
{
    double *bytes = sp_alloc((size_t)s->nlinks * sizeof *bytes), most = 0;
    for (int i = 0; i < s->plan->nsteps; i++)
        for (int h = 0; s->way[i] >= 0 && h < s->ways[s->way[i]].nhops; h++) {
            const struct sp_hop *hop = &s->hop[s->ways[s->way[i]].hop + h];
            bytes[hop->link] += s->bytes[i] * (double)hop->share;
        }
    for (int i = 0; i < s->nlinks; i++)
        most = fmax(most, bytes[i] / s->rate[i]);
    free(bytes);
    return most;
}

/* Thousands of messages at once that all end at their own moment would need hours: then ends
 * that are close together, by the time that a group takes, are made one. */
static double coarseness(const struct sp_scene *s, double eps)
{
    enum { MANY = 8192 };
    static const double close = 3e-4;
    struct burst b = bursts(s->plan);
    if (eps != 0 || b.messages * s->plan->pb.ranks < MANY)
        return fmax(eps, 0);
    return close * load(s) / b.groups;
}

/* Speeds are a group's, and the same for all groups. */
static double *speeds(const struct sp_placement *at, const double *speed)
{
    double *all = sp_alloc((size_t)at->groups * (size_t)at->ranks * sizeof *all);
    for (int i = 0; i < at->groups * at->ranks; i++)
        all[i] = speed[i % at->ranks];
    return all;
}

/* NULL: *why says what is too large. */
static struct sp_scene *lay(const struct job *j, const struct sp_profile *f,
                            struct sp_placement *at, const char **why)
{
    enum { FEW = 8 };           /* then who is alike is found no sooner than what each does */
    const struct sp_forecast_options *o = j->o;
    bool half = f->path[SP_PATH_NET].half || f->path[SP_PATH_MEMORY].half;      /* scene.c */
    bool each = half || o->explicit_run || o->jitter > 0 || o->span
                || (at->groups == 1 && bursts(j->p).messages <= FEW);
    if (each && (double)at->groups * fmax(j->p->nsteps, j->p->nneeds) > INT_MAX) {
        *why = sp_why("%d groups of %d steps are too many to be simulated each for itself; fewer "
                      "are --groups 1", at->groups, j->p->nsteps);
        return NULL;
    }
    double *speed = o->speed ? speeds(at, o->speed) : NULL;
    at->speed = speed;
    struct sp_scene *s = !each ? sp_scene_collapsed(j->p, j->t, f, at)
                         : at->groups > 1 ? sp_scene_all(j->p, j->t, f, at)
                         : sp_scene_new(j->p, j->t, f, at);
    at->speed = NULL;
    free(speed);
    return s;
}

static const char *predict(struct job *j, struct sp_forecast *out)
{
    const char *why = unknown(j->s);
    if (why)
        return why;
    j->loop = sp_loop_new(j->s->plan, SP_ALL_RANKS);
    int passes = j->s->plan->backward_at < j->s->plan->nsteps ? SP_NPASSES : 1;
    for (int pass = 0; pass < passes && !why; pass++) {
        out->pass[pass] = forecast(j, pass);
        if (isnan(out->pass[pass].time[SP_SIM_OVERLAPPED]))
            why = sp_why("the messages of this plan wait for each other under NCCL's order");
    }
    sp_loop_free(j->loop);
    return why;
}

/* Of the first group: in a scene of several, all forward passes come first (repeat.c). */
static void first_group(const struct sp_plan *p, const struct sp_plan *all,
                        const struct sp_span *from, struct sp_span *to)
{
    int backward = p->backward_at < p->nsteps ? p->backward_at : p->nsteps;
    int behind = all->backward_at < all->nsteps ? all->backward_at - backward : 0;
    for (int i = 0; i < p->nsteps; i++)
        to[i] = from[i < backward ? i : i + behind];
}

struct sp_forecast sp_predict(const struct sp_plan *p, const struct sp_topo *t,
                              const struct sp_profile *f, const struct sp_forecast_options *o)
{
    struct sp_forecast out = { .memory = (double)sp_most_bytes(p) };
    struct sp_placement at;
    struct job j = { .p = p, .t = t, .o = o };
    int groups = o->groups ? o->groups : 1;
    if ((out.why = sp_place(t, p->pb.ranks, groups, o->per_node, &at)))
        return out;
    j.streams = t->vertex[t->endpoint[at.endpoint[0]]].kind == SP_GPU;
    j.s = lay(&j, f, &at, &out.why);
    if (j.s) {
        j.eps = coarseness(j.s, o->eps);
        out.inside = j.s->inside && messages_inside(j.s);
        out.ranks = j.s->plan->pb.ranks;
        out.represented = p->pb.ranks * groups;
        j.span = o->span ? sp_alloc((size_t)j.s->plan->nsteps * sizeof *j.span) : NULL;
        out.why = predict(&j, &out);
        if (j.span)
            first_group(p, j.s->plan, j.span, o->span);
        free(j.span);
    }
    sp_scene_free(j.s);
    free(at.endpoint);
    return out;
}
