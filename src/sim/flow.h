/* flow.h - work in virtual time: flows that share links max-min fairly, and what runs
 * alone.
 *
 * A flow first waits its latency, using nothing; then its amount is done at the
 * unweighted max-min fair rate over the links that it crosses, and at most at its own
 * cap. Without links it runs at its cap: a computation is a flow whose amount is seconds
 * and whose cap is the speed. Progressive filling: Bertsekas and Gallager, Data Networks,
 * 1992, section 6.5.2. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_FLOW_H
#define SP_FLOW_H

#include "topo/topo.h"

struct sp_net;

/* rate: bytes/s of each link, above 0. eps: what is due within so many seconds of what
 * comes next happens with it, all at the mean of their times, so that neither early nor
 * late is favoured (0: exact; differences below 1e-12 of the time are rounding). */
struct sp_net *sp_net_new(const double *rate, int nlinks, double eps);
void sp_net_free(struct sp_net *n);

/* A way over links, to be used by any number of flows. A link's share says how much of
 * the link a flow takes: its part of the bytes, times how many like it a flow stands for.
 * All ways are given before the first flow starts: links that can't bind are then left
 * out. */
int sp_net_path(struct sp_net *n, const struct sp_hop *hop, int nhops);

/* Start `amount` of work (bytes, or seconds at speed 1) now. path: -1 for no links. cap:
 * the most it can do a second, above 0; INFINITY: what the links give. id: the caller's,
 * small and dense, none in flight twice. */
void sp_net_start(struct sp_net *n, int id, int path, double latency, double amount,
                  double cap);

/* From now on a flow in flight does at most so much a second; nothing happens to one that
 * is through but not yet told. Cheap where the cap is still more than it gets. */
void sp_net_cap(struct sp_net *n, int id, double cap);

/* Go on to the next completion; its id, -1 if nothing is in flight. Those of one moment
 * come in the order of their ids; then those that started in that moment and took no
 * time. */
int sp_net_wait(struct sp_net *n);

/* Whether more of this moment are to come: they are through, and can't be changed. */
bool sp_net_more(const struct sp_net *n);

double sp_net_now(const struct sp_net *n);

/* Bytes that have crossed a link so far, shares counted. Looks at all flows in flight. */
double sp_net_crossed(const struct sp_net *n, int link);

#endif
