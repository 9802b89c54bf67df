# SPDX-License-Identifier: MIT
# SP_MPI: looks for MPI by --with-mpi=yes|no|guess. The MPI compiler is asked for its
# flags and not used to compile. Sets the conditional and the macro HAVE_MPI, and
# MPI_CFLAGS, MPI_LIBS, MPIRUN; adds to $sp_transports.
AC_DEFUN([SP_MPI], [
    AC_ARG_WITH([mpi],
        [AS_HELP_STRING([--with-mpi=yes|no|guess],
            [transport between processes; guess (the default) only warns])],
        [], [with_mpi=guess])
    AC_ARG_VAR([MPICC], [MPI compiler, asked for its flags only])
    AC_ARG_VAR([MPIRUN], [MPI launcher, for the tests])
    AS_CASE([$with_mpi], [yes|no|guess], [],
        [AC_MSG_ERROR([--with-mpi=$with_mpi: say yes, no or guess])])

    have_mpi=no
    AS_IF([test "$with_mpi" != no], [
        AC_PATH_PROGS([MPICC], [mpicc])
        AC_PATH_PROGS([MPIRUN], [mpirun mpiexec])
        AS_IF([MPI_CFLAGS=`$MPICC --showme:compile 2>/dev/null`],
            [MPI_LIBS=`$MPICC --showme:link`],
            [PKG_CHECK_MODULES([MPI], [ompi-c], [], [:])])
        AC_MSG_CHECKING([for MPI])
        sp_save_CFLAGS=$CFLAGS sp_save_LIBS=$LIBS
        CFLAGS="$CFLAGS $MPI_CFLAGS" LIBS="$MPI_LIBS $LIBS"
        AC_LINK_IFELSE(
            [AC_LANG_PROGRAM([[#include <mpi.h>]], [[return MPI_Init(0, 0);]])],
            [have_mpi=yes])
        CFLAGS=$sp_save_CFLAGS LIBS=$sp_save_LIBS
        AC_MSG_RESULT([$have_mpi])
        AS_IF([test "$have_mpi" = no], [AS_IF([test "$with_mpi" = yes],
            [AC_MSG_ERROR([no MPI: install libopenmpi-dev, or name a compiler: MPICC=])],
            [AC_MSG_WARN([no MPI: runs will have one rank; install libopenmpi-dev])])])
    ])
    AS_IF([test "$have_mpi" = yes],
        [AC_DEFINE([HAVE_MPI], [1], [Define if the mpi transport is built in.])
         sp_transports="$sp_transports mpi"])
    AC_SUBST([MPI_CFLAGS])
    AC_SUBST([MPI_LIBS])
    AM_CONDITIONAL([HAVE_MPI], [test "$have_mpi" = yes])
])
