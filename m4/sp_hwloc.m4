# SPDX-License-Identifier: MIT
# SP_HWLOC: looks for hwloc >= 2.5 by --with-hwloc=yes|no|guess. Sets the conditional
# HAVE_HWLOC, HWLOC_CFLAGS and HWLOC_LIBS, and $have_hwloc.
AC_DEFUN([SP_HWLOC], [
    AC_ARG_WITH([hwloc],
        [AS_HELP_STRING([--with-hwloc=yes|no|guess],
            [reads files of machines; guess (the default) only warns])],
        [], [with_hwloc=guess])
    AS_CASE([$with_hwloc], [yes|no|guess], [],
        [AC_MSG_ERROR([--with-hwloc=$with_hwloc: say yes, no or guess])])
    have_hwloc=no
    AS_IF([test "$with_hwloc" != no],
        [PKG_CHECK_MODULES([HWLOC], [hwloc >= 2.5], [have_hwloc=yes],
            [AS_IF([test "$with_hwloc" = yes],
                [AC_MSG_ERROR([no hwloc 2.5: install libhwloc-dev])],
                [AC_MSG_WARN([no hwloc 2.5, so no files of machines; install libhwloc-dev])])])])
    AM_CONDITIONAL([HAVE_HWLOC], [test "$have_hwloc" = yes])
])
