/* What each py_*.c adds to media._native: a slot of Py_mod_exec in module.c, 0 or -1 and an
 * exception. */
#ifndef SL_MODULE_H
#define SL_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int sl_add_srtp(PyObject *module);   /* Srtp */
int sl_add_fanout(PyObject *module); /* Fanout */

#endif
