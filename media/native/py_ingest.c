/* media._native.Ingest: the ingress of one stream, for tests; no thread, no socket. */
#include "module.h"
#include "py_track.h"

typedef struct {
    PyObject_HEAD
    sl_ingest *ingest;
    sl_packet *relayed; /* 2 * SL_INGEST_MAX_BATCH */
} IngestObject;

static PyObject *ingest_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"max_bitrate_bps", NULL};
    double max_bitrate_bps;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "d:Ingest", names, &max_bitrate_bps))
        return NULL;
    IngestObject *self = (IngestObject *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->ingest = PyMem_Malloc(sizeof *self->ingest);
    self->relayed = PyMem_Calloc(2 * SL_INGEST_MAX_BATCH, sizeof *self->relayed);
    if (self->ingest == NULL || self->relayed == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    sl_ingest_init(self->ingest, max_bitrate_bps);
    return (PyObject *)self;
}

static void ingest_dealloc(IngestObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(self->ingest);
    PyMem_Free(self->relayed);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *ingest_set_publisher(IngestObject *self, PyObject *args)
{
    sl_track_spec specs[SL_KINDS];
    PyObject *tracks;
    double now;
    if (!PyArg_ParseTuple(args, "Od:set_publisher", &tracks, &now))
        return NULL;
    Py_ssize_t count = sl_py_track_specs(tracks, specs);
    if (count < 0)
        return NULL;
    sl_ingest_set_publisher(self->ingest, specs, (size_t)count, now);
    Py_RETURN_NONE;
}

static PyObject *ingest_publisher_gone(IngestObject *self, PyObject *Py_UNUSED(unused))
{
    sl_ingest_publisher_gone(self->ingest);
    Py_RETURN_NONE;
}

static PyObject *relayed_of(IngestObject *self, const sl_plain *packets, size_t count, double now)
{
    size_t relayed = sl_ingest_receive(self->ingest, packets, count, now, self->relayed);
    PyObject *list = PyList_New((Py_ssize_t)relayed);
    for (size_t i = 0; list && i < relayed; i++) {
        PyObject *packet = sl_py_from_packet(&self->relayed[i]);
        if (packet == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, packet);
    }
    return list;
}

static PyObject *ingest_receive(IngestObject *self, PyObject *args)
{
    PyObject *packets;
    double now;
    sl_plain plain[SL_INGEST_MAX_BATCH];
    if (!PyArg_ParseTuple(args, "O!d:receive", &PyList_Type, &packets, &now))
        return NULL;
    Py_ssize_t count = PyList_GET_SIZE(packets);
    if (count > SL_INGEST_MAX_BATCH) {
        PyErr_SetString(PyExc_ValueError, "more packets than a batch has");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        char *bytes;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PyList_GET_ITEM(packets, i), &bytes, &size) < 0)
            return NULL;
        plain[i] = (sl_plain){(uint8_t *)bytes, (size_t)size};
    }
    return relayed_of(self, plain, (size_t)count, now);
}

static PyObject *ingest_on_sender_report(IngestObject *self, PyObject *args)
{
    unsigned ssrc, rtp_timestamp;
    unsigned long long ntp;
    double now;
    if (!PyArg_ParseTuple(args, "IKId:on_sender_report", &ssrc, &ntp, &rtp_timestamp, &now))
        return NULL;
    sl_ingest_on_sender_report(self->ingest, ssrc, ntp, rtp_timestamp, now);
    Py_RETURN_NONE;
}

static PyObject *ingest_on_bye(IngestObject *self, PyObject *arg)
{
    unsigned long ssrc = PyLong_AsUnsignedLong(arg);
    if (PyErr_Occurred())
        return NULL;
    sl_ingest_on_bye(self->ingest, (uint32_t)ssrc);
    Py_RETURN_NONE;
}

static PyObject *ingest_reports(IngestObject *self, PyObject *arg)
{
    double now = PyFloat_AsDouble(arg);
    if (PyErr_Occurred())
        return NULL;
    sl_report_block blocks[SL_KINDS];
    return sl_py_from_reports(blocks, sl_ingest_reports(self->ingest, now, blocks));
}

static PyObject *ingest_missing(IngestObject *self, PyObject *arg)
{
    double now = PyFloat_AsDouble(arg);
    if (PyErr_Occurred())
        return NULL;
    uint32_t media_ssrc = 0;
    int64_t sequences[SL_MAX_ASKED];
    size_t count = sl_ingest_missing(self->ingest, now, &media_ssrc, sequences);
    return sl_py_from_missing(media_ssrc, sequences, count);
}

static bool facts_of(IngestObject *self, PyObject *arg, sl_track_facts *facts)
{
    int kind = sl_py_kind(arg);
    if (kind < 0)
        return false;
    *facts = sl_track_facts_of(self->ingest, (uint8_t)kind);
    return true;
}

static PyObject *ingest_media_ssrc(IngestObject *self, PyObject *arg)
{
    sl_track_facts facts;
    return facts_of(self, arg, &facts) ? sl_py_media_ssrc(&facts) : NULL;
}

static PyObject *ingest_clock(IngestObject *self, PyObject *arg)
{
    sl_track_facts facts;
    return facts_of(self, arg, &facts) ? sl_py_clock(&facts) : NULL;
}

static PyObject *ingest_stats(IngestObject *self, PyObject *arg)
{
    double now = PyFloat_AsDouble(arg);
    if (PyErr_Occurred())
        return NULL;
    sl_track_stats stats[SL_KINDS];
    return sl_py_from_stats(stats, sl_track_stats_of(self->ingest, now, stats));
}

static PyObject *ingest_totals(IngestObject *self, PyObject *Py_UNUSED(unused))
{
    return Py_BuildValue(
        "(KKK)", (unsigned long long)self->ingest->refused,
        (unsigned long long)self->ingest->over_bitrate, (unsigned long long)self->ingest->keyframes
    );
}

static PyMethodDef methods[] = {
    {"set_publisher", (PyCFunction)ingest_set_publisher, METH_VARARGS, "(tracks, now)"},
    {"publisher_gone", (PyCFunction)ingest_publisher_gone, METH_NOARGS, "Nothing more is taken."},
    {"receive", (PyCFunction)ingest_receive, METH_VARARGS, "(packets, now): what to relay."},
    {"on_sender_report", (PyCFunction)ingest_on_sender_report, METH_VARARGS,
     "(ssrc, ntp, rtp_timestamp, now)"},
    {"on_bye", (PyCFunction)ingest_on_bye, METH_O, "(ssrc)"},
    {"reports", (PyCFunction)ingest_reports, METH_O, "(now): report blocks."},
    {"missing", (PyCFunction)ingest_missing, METH_O, "(now): (media SSRC, sequences) or None."},
    {"media_ssrc", (PyCFunction)ingest_media_ssrc, METH_O, "(kind)"},
    {"clock", (PyCFunction)ingest_clock, METH_O, "(kind)"},
    {"stats", (PyCFunction)ingest_stats, METH_O, "(now): of each track."},
    {"totals", (PyCFunction)ingest_totals, METH_NOARGS, "(refused, over_bitrate, keyframes)"},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The ingress of one stream: media.relay.publisher_ingest.PublisherIngest in C."},
    {Py_tp_new, ingest_new},
    {Py_tp_dealloc, ingest_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "media._native.Ingest",
    .basicsize = sizeof(IngestObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int sl_add_ingest(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddObjectRef(module, "Ingest", type);
    Py_DECREF(type);
    return added;
}
