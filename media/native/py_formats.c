/* Functions over bytes that the plane's thread has, for tests: what Python modules of the same
 * meaning are held equal to. */
#include "demux.h"
#include "keyframe.h"
#include "module.h"
#include "rtcp.h"

static PyObject *starts_keyframe(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *codec;
    Py_buffer payload;
    if (!PyArg_ParseTuple(args, "sy*:starts_keyframe", &codec, &payload))
        return NULL;
    bool starts = sl_starts_keyframe(sl_codec_named(codec), payload.buf, (size_t)payload.len);
    PyBuffer_Release(&payload);
    return PyBool_FromLong(starts);
}

static PyObject *classify(PyObject *Py_UNUSED(module), PyObject *arg)
{
    static const char *const names[SL_DATAGRAM_KINDS] = {"stun", "dtls", "rtp", "rtcp", "other"};
    Py_buffer datagram;
    if (PyObject_GetBuffer(arg, &datagram, PyBUF_SIMPLE) < 0)
        return NULL;
    sl_datagram_kind kind = sl_classify(datagram.buf, (size_t)datagram.len);
    PyBuffer_Release(&datagram);
    return PyUnicode_FromString(names[kind]);
}

static PyObject *from_nack(const sl_rtcp *found, const sl_nack *nack)
{
    PyObject *sequences = PyTuple_New((Py_ssize_t)nack->count);
    for (size_t i = 0; sequences && i < nack->count; i++) {
        PyObject *sequence = PyLong_FromLong(found->sequences[nack->first + i]);
        if (sequence == NULL)
            Py_CLEAR(sequences);
        else
            PyTuple_SET_ITEM(sequences, (Py_ssize_t)i, sequence);
    }
    return sequences ? Py_BuildValue("(IN)", nack->media_ssrc, sequences) : NULL;
}

static PyObject *from_found(const sl_rtcp *found)
{
    PyObject *nacks = PyList_New((Py_ssize_t)found->nack_count);
    for (size_t i = 0; nacks && i < found->nack_count; i++) {
        PyObject *nack = from_nack(found, &found->nacks[i]);
        if (nack == NULL)
            Py_CLEAR(nacks);
        else
            PyList_SET_ITEM(nacks, (Py_ssize_t)i, nack);
    }
    return nacks ? Py_BuildValue("(NN)", nacks, PyBool_FromLong(found->says_more)) : NULL;
}

static PyObject *walk_rtcp(PyObject *Py_UNUSED(module), PyObject *arg)
{
    Py_buffer packet;
    if (PyObject_GetBuffer(arg, &packet, PyBUF_SIMPLE) < 0)
        return NULL;
    sl_rtcp *found = PyMem_Malloc(sizeof *found);
    PyObject *result = NULL;
    if (found == NULL)
        PyErr_NoMemory();
    else if (sl_rtcp_walk(packet.buf, (size_t)packet.len, found))
        result = from_found(found);
    else
        result = Py_NewRef(Py_None);
    PyMem_Free(found);
    PyBuffer_Release(&packet);
    return result;
}

static PyMethodDef functions[] = {
    {"starts_keyframe", starts_keyframe, METH_VARARGS, "(codec, payload)"},
    {"classify", classify, METH_O, "The protocol of a datagram."},
    {"walk_rtcp", walk_rtcp, METH_O,
     "([(media SSRC, sequences)], whether it says more) of a compound; None where malformed."},
    {NULL},
};

int sl_add_formats(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
