# SPDX-License-Identifier: MIT
# SP_ISA(name, flags, type, expression of an `a` of that type): whether the compiler can
# build kernels for that instruction set. Sets the conditional HAVE_<NAME> and
# <NAME>_CFLAGS, and adds to ISA_CPPFLAGS, which all of kernels/ needs, and to $sp_isas.
# Whether the processor at hand can run them is asked at run time.
AC_DEFUN([SP_ISA], [
    AC_CACHE_CHECK([whether $CC can do $1], [sp_cv_isa_$1], [
        sp_save_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS $2"
        AC_COMPILE_IFELSE(
            [AC_LANG_SOURCE([[#include <immintrin.h>
                $3 probe($3 a) { return $4; }]])],
            [sp_cv_isa_$1=yes], [sp_cv_isa_$1=no])
        CFLAGS=$sp_save_CFLAGS
    ])
    AS_IF([test "$sp_cv_isa_$1" = yes],
        [ISA_CPPFLAGS="$ISA_CPPFLAGS -D[]m4_toupper([HAVE_$1])"
         sp_isas="$sp_isas $1"])
    AC_SUBST([ISA_CPPFLAGS])
    AM_CONDITIONAL(m4_toupper([HAVE_$1]), [test "$sp_cv_isa_$1" = yes])
    AC_SUBST(m4_toupper([$1_CFLAGS]), ["$2"])
])
