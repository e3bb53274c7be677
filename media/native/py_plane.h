/* media._native.Plane, for those who are given one. */
#ifndef SL_PY_PLANE_H
#define SL_PY_PLANE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "plane.h"

/* The plane in it; NULL and TypeError for another object. */
sl_plane *sl_py_plane(PyObject *object);

/* Hands over `command`, which may be NULL; None, or NULL and an exception. */
PyObject *sl_py_command(sl_plane *plane, sl_command *command);

#endif
