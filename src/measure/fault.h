/* fault.h - the worst of each way in which a result can be wrong. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_FAULT_H
#define SP_FAULT_H

#include "measure/tolerance.h"
#include "transport/transport.h"

enum sp_way {
    SP_WAY_NAN,         /* an element of any row is nan or infinite */
    SP_WAY_ELEMENT,     /* an element is off; error: absolute, until all is known */
    SP_WAY_ROW,         /* a row is off, against what was summed into it */
    SP_WAY_TILE,        /* a row's error is what a tile of keys gives; error: that part */
    SP_WAY_SUM,         /* the sum over all rows is off, in tolerances */
    SP_WAY_DOT,         /* the product with the inputs is off, in tolerances */
    SP_NWAYS
};

/* Of all that went wrong in one way, the largest. Negative error: nothing was looked at. */
struct sp_fault {
    double error, got, want;
    int b, head, element;
    long pos;
};

struct sp_faults {
    struct sp_fault worst[SP_NKINDS][SP_NWAYS];
    double most[SP_NKINDS];     /* max|ref| */
    double rows[SP_NKINDS];     /* rows looked at */
};

struct sp_faults sp_faults_none(void);

/* Keep it if it is worse. An error that is no number is the worst. */
void sp_fault_note(struct sp_faults *f, enum sp_kind kind, enum sp_way way, struct sp_fault x);

/* Of all ranks: afterwards all have the same. Elements' errors become relative to max|ref|. */
void sp_faults_reduce(struct sp_comm *c, struct sp_faults *f);

/* The worst kind and way by error / tolerance; returns that ratio. */
double sp_faults_worst(const struct sp_faults *f, const struct sp_tolerance *t,
                       enum sp_kind *kind, enum sp_way *way);

/* A sentence on it. */
void sp_fault_say(const struct sp_faults *f, const struct sp_tolerance *t, enum sp_kind kind,
                  enum sp_way way, char *text, size_t room);

#endif
