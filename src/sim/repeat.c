/* repeat.c - all groups explicitly: their plans side by side in one. */
/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scene.h"
#include "util/memory.h"

/* Step i of group g, in a plan of so many groups: forward passes come first. */
static int moved(const struct sp_plan *p, int groups, int g, int i)
{
    if (sp_step_pass(p, i) == SP_FORWARD)
        return (p->backward_at < p->nsteps ? p->backward_at : p->nsteps) * g + i;
    int backward = p->nsteps - p->backward_at;
    return p->backward_at * groups + backward * g + i - p->backward_at;
}

static void *copy(const void *data, size_t bytes)
{
    void *to = sp_alloc(bytes);
    if (bytes)
        memcpy(to, data, bytes);
    return to;
}

static void repeat_steps(struct sp_plan *to, const struct sp_plan *p, int groups, int g)
{
    for (int i = 0; i < p->nneeds; i++)
        to->need[g * p->nneeds + i] = moved(p, groups, g, p->need[i]);
    for (int i = 0; i < p->nsteps; i++) {
        struct sp_step *s = &to->step[moved(p, groups, g, i)];
        *s = p->step[i];
        s->rank += g * p->pb.ranks;
        s->need += g * p->nneeds;
        if (s->twin >= 0)
            s->twin = moved(p, groups, g, s->twin);
        if (s->group >= 0)
            s->group += g * (p->group + 1);
    }
}

/* Only what a scene reads: blocks and buffers are those of the first group, for all. */
static struct sp_plan *repeat(const struct sp_plan *p, int groups)
{
    struct sp_plan *to = sp_alloc(sizeof *to);
    size_t n = (size_t)groups;
    to->pb = p->pb;
    to->pb.ranks = groups * p->pb.ranks;
    to->nsteps = groups * p->nsteps;
    to->nneeds = groups * p->nneeds;
    to->step = sp_alloc(n * (size_t)p->nsteps * sizeof *to->step);
    to->need = sp_alloc(n * (size_t)p->nneeds * sizeof *to->need);
    to->block = copy(p->block, (size_t)p->nblocks * sizeof *p->block);
    to->nblocks = p->nblocks;
    to->buf = copy(p->buf, (size_t)p->nbufs * sizeof *p->buf);
    to->region = sp_alloc((size_t)p->nbufs * sizeof *to->region);
    to->nbufs = p->nbufs;
    to->places = sp_places_copy(&p->places);
    to->backward_at = p->backward_at < p->nsteps ? groups * p->backward_at : INT_MAX;
    for (int g = 0; g < groups; g++)
        repeat_steps(to, p, groups, g);
    return to;
}

struct sp_scene *sp_scene_all(const struct sp_plan *p, const struct sp_topo *t,
                              const struct sp_profile *f, const struct sp_placement *at)
{
    struct sp_plan *all = repeat(p, at->groups);
    struct sp_scene *s = sp_scene_new(all, t, f, at);
    s->owned = all;
    return s;
}
