/* list.c - the transports that were built in. */
/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "transport/launcher.h"
#include "transport/transport.h"

extern const struct sp_transport sp_transport_self;
#ifdef HAVE_MPI
extern const struct sp_transport sp_transport_mpi;
#endif

const struct sp_transport *const sp_transports[] = {
    &sp_transport_self,
#ifdef HAVE_MPI
    &sp_transport_mpi,
#endif
    NULL
};

const struct sp_transport *sp_transport_find(const char *name)
{
    for (int i = 0; sp_transports[i]; i++)
        if (!strcmp(sp_transports[i]->name, name))
            return sp_transports[i];
    return NULL;
}

const struct sp_transport *sp_transport_default(void)
{
    const struct sp_transport *mpi = sp_transport_find("mpi");
    return mpi && sp_launched_ranks() > 0 ? mpi : &sp_transport_self;
}
