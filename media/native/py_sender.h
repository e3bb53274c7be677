/* A Python function in place of sendmmsg, which tests script:
 * (datagrams: bytes, segment: int, address) -> errno, 0 where they were taken.
 */
#ifndef SL_PY_SENDER_H
#define SL_PY_SENDER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "datagrams.h"

typedef struct {
    PyObject *function; /* NULL where a socket is used */
    bool has_failed;    /* it raised, and the exception is set */
    int late_error;     /* to be told at the next call */
} sl_py_sender;

/* An `sl_send_messages` whose context is an `sl_py_sender`. The GIL must be held. */
int sl_py_sender_send(void *context, int fd, struct mmsghdr *messages, unsigned count);

#endif
