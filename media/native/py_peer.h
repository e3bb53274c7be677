/* media._native.Peer and media._native.Sent, for those who are given them. */
#ifndef SL_PY_PEER_H
#define SL_PY_PEER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "peer.h"

/* What is in it, without a reference of its own; NULL and TypeError for another object. */
sl_peer *sl_py_peer(PyObject *object);
sl_sent *sl_py_sent(PyObject *object);

#endif
