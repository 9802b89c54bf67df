/* stop.h - the ends of the program that are not its normal one. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_STOP_H
#define SP_STOP_H

enum sp_exit {
    SP_EXIT_OK = 0,
    SP_EXIT_INTERNAL = 1,       /* our mistake */
    SP_EXIT_USAGE = 2,          /* an option, or every point refused */
    SP_EXIT_ENVIRONMENT = 3,    /* a file, a launcher, a processor that isn't there */
    SP_EXIT_WRONG = 4,          /* a result that is not the definition's */
    SP_EXIT_REGRESSION = 5,
    SP_EXIT_TIMEOUT = 6,
    SP_EXIT_MEMORY = 7,
    SP_EXIT_SOME = 8,           /* some points failed */
};

/* Print "seqpar: " and the sentence to stderr, then end this and, under a launcher, every
 * other rank with the code. Does not return. */
void sp_stop(enum sp_exit code, const char *text, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* The same, of what every rank finds alike (an option, a file): only one says it. */
void sp_stop_together(enum sp_exit code, const char *text, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
void sp_stop_listen(void);      /* this rank is not the one */

/* How to end all ranks: set by the transport that started them. NULL: exit() is enough. */
void sp_stop_with(void (*end)(int code));

#endif
