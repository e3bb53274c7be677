/* media._native: the native data plane of media. Each part adds its types when it is executed. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "module.h"

static PyModuleDef_Slot parts[] = {
    {Py_mod_exec, sl_add_srtp},
    {Py_mod_exec, sl_add_fanout},
    {Py_mod_exec, sl_add_formats},
    {Py_mod_exec, sl_add_addresses},
    {Py_mod_exec, sl_add_ingest},
    {Py_mod_exec, sl_add_peer},
    {Py_mod_exec, sl_add_plane},
    {Py_mod_exec, sl_add_prompt},
    {Py_mod_exec, sl_add_stream},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "media._native",
    .m_doc = "The per-packet work of a media worker, without Python objects. See media/native.",
    .m_slots = parts,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
