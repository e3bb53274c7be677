/* What each py_*.c adds to media._native: a slot of Py_mod_exec in module.c, 0 or -1 and an
 * exception. */
#ifndef SL_MODULE_H
#define SL_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int sl_add_srtp(PyObject *module);      /* Srtp */
int sl_add_fanout(PyObject *module);    /* Fanout */
int sl_add_formats(PyObject *module);   /* starts_keyframe, classify, walk_rtcp */
int sl_add_addresses(PyObject *module); /* Addresses */
int sl_add_ingest(PyObject *module);    /* Ingest */
int sl_add_peer(PyObject *module);      /* Peer, Sent */
int sl_add_plane(PyObject *module);     /* Plane */
int sl_add_prompt(PyObject *module);    /* be_prompt, be_ordinary */
int sl_add_stream(PyObject *module);    /* Stream */

#endif
