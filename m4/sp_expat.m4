# SPDX-License-Identifier: MIT
# SP_EXPAT: looks for expat by --with-expat=yes|no|guess. Sets the conditional HAVE_EXPAT,
# EXPAT_CFLAGS and EXPAT_LIBS, and $have_expat.
AC_DEFUN([SP_EXPAT], [
    AC_ARG_WITH([expat],
        [AS_HELP_STRING([--with-expat=yes|no|guess],
            [imports topologies of NCCL; guess (the default) only warns])],
        [], [with_expat=guess])
    AS_CASE([$with_expat], [yes|no|guess], [],
        [AC_MSG_ERROR([--with-expat=$with_expat: say yes, no or guess])])
    have_expat=no
    AS_IF([test "$with_expat" != no],
        [PKG_CHECK_MODULES([EXPAT], [expat >= 2.1], [have_expat=yes],
            [AS_IF([test "$with_expat" = yes],
                [AC_MSG_ERROR([no expat: install libexpat1-dev])],
                [AC_MSG_WARN([no expat, so no import of NCCL's files; install libexpat1-dev])])])])
    AM_CONDITIONAL([HAVE_EXPAT], [test "$have_expat" = yes])
])
