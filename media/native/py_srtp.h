/* What Python says of keys, made a context. */
#ifndef SL_PY_SRTP_H
#define SL_PY_SRTP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "srtp.h"

/* A context with one reference, or NULL and ValueError or RuntimeError. */
sl_srtp *sl_py_new_srtp(int profile, const Py_buffer *local, const Py_buffer *remote);

#endif
