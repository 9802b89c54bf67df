/* refine.h - which ranks, links and ways are alike. See symmetry.c. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_REFINE_H
#define SP_REFINE_H

#include "sim/ways.h"

/* What ranks and links are by themselves. */
struct sp_look {
    const double *speed;        /* by unit; NULL: all 1 */
    const double *rate;         /* by link of the topology ... */
    const struct sp_link *link; /* ... whose kinds are told apart too, to be counted */
    const int *host;            /* by unit; NULL: nobody shares processors */
    const double *processors;   /* by host */
    int hosts;
};

/* Ways that are alike: of one shape, between like ranks, over like links. */
struct sp_bundle {
    int shape, from, to;        /* classes of units */
    int kind, round;            /* of their ways */
    int hop, nhops;             /* in sp_classes.hop: links' classes, and what all of them
                                   together take of one such link */
};

struct sp_classes {
    int *unit;  int nunits;     /* by unit: its class; numbered by their first ones */
    int *link;  int nlinks;     /* by link of the ways */
    int *first, *size;          /* by class of units: the first of it, how many */
    int *first_link, *links;    /* by class of links */
    int *bundle_of;             /* by way */
    struct sp_bundle *bundle;  int nbundles;
    struct sp_hop *hop;  int nhops;
    int rounds;                 /* of refinement */
};

struct sp_classes *sp_refine(const struct sp_ways *x, const struct sp_look *look);
void sp_classes_free(struct sp_classes *c);

#endif
