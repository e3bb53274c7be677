/* The relay's Python values (media.relay.tracks) made C ones. Whatever does not fit raises
 * TypeError, ValueError or OverflowError; nothing is taken on trust.
 */
#ifndef SL_PY_VALUES_H
#define SL_PY_VALUES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "egress.h"
#include "packet.h"

/* A (host, port) pair with an IP address as host. */
bool sl_py_address(PyObject *pair, sl_address *address);
PyObject *sl_py_address_pair(const sl_address *address);

/* A `Viewer`. The caller releases viewer->srtp. */
bool sl_py_viewer(PyObject *value, sl_viewer *viewer);

/* The same for who has the contexts of its keys already. */
bool sl_py_viewer_without_keys(PyObject *value, sl_viewer *viewer);

/* A `RelayPacket`; its bytes stay the Python object's. */
bool sl_py_packet(PyObject *value, sl_packet *packet);

/* An int within bounds. */
bool sl_py_integer(PyObject *value, const char *name, long long least, long long most,
                   long long *out);
bool sl_py_id(PyObject *value, uint64_t *id);

#endif
