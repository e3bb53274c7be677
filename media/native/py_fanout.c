/* media._native.Fanout: media.relay.fanout.Fanout over a socket, or over a function that stands in
 * for one. It sends in the caller's thread, without the GIL.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>

#include "fanout.h"
#include "module.h"
#include "py_sender.h"
#include "py_values.h"

static const double MAX_NOW = 1e12;
static const long long MAX_CACHE_PACKETS = 1 << 20;
static const long long MAX_CACHE_BYTES = 1LL << 32;
static const long long MAX_VIEWERS = 1 << 20;

typedef struct {
    PyObject_HEAD
    sl_fanout *fanout;
    sl_datagrams *datagrams;
    sl_py_sender sender;
    bool is_sending;
    PyObject *tracks;    /* viewer id to its (kind, SSRC) pairs, as `sent` names them */
} FanoutObject;

/* The GIL is released while it sends: a second thread, or the sender, must not come in. */
static bool is_free(const FanoutObject *self)
{
    if (!self->is_sending)
        return true;
    PyErr_SetString(PyExc_RuntimeError, "the fan-out is sending");
    return false;
}

static bool open_sender(FanoutObject *self, PyObject *sender)
{
    bool is_function = PyCallable_Check(sender);
    int fd = is_function ? -1 : PyObject_AsFileDescriptor(sender);
    if (!is_function && fd < 0)
        return false;
    self->sender.function = is_function ? Py_NewRef(sender) : NULL;
    self->datagrams = sl_datagrams_new(fd, is_function ? sl_py_sender_send : NULL, &self->sender);
    if (self->datagrams == NULL)
        PyErr_NoMemory();
    return self->datagrams != NULL;
}

/* ---- life ---- */

static bool open_fanout(FanoutObject *self, PyObject *packets, PyObject *bytes, double cache_s,
                        PyObject *viewers)
{
    long long max_packets, max_bytes, max_viewers = MAX_VIEWERS;
    if (!sl_py_integer(packets, "cache_max_packets", 1, MAX_CACHE_PACKETS, &max_packets) ||
        !sl_py_integer(bytes, "cache_max_bytes", 0, MAX_CACHE_BYTES, &max_bytes) ||
        (viewers && !sl_py_integer(viewers, "max_viewers", 0, MAX_VIEWERS, &max_viewers)))
        return false;
    if (!(cache_s >= 0)) {
        PyErr_SetString(PyExc_ValueError, "cache_s must not be negative");
        return false;
    }
    self->fanout = sl_fanout_new(&(sl_fanout_limits){(size_t)max_packets, (size_t)max_bytes,
                                                     cache_s, (size_t)max_viewers});
    if (self->fanout == NULL)
        PyErr_NoMemory();
    return self->fanout != NULL;
}

static PyObject *fanout_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"sender",  "cache_max_packets", "cache_max_bytes",
                            "cache_s", "max_viewers",       NULL};
    PyObject *sender, *packets = NULL, *bytes = NULL, *viewers = NULL;
    double cache_s = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOdO:Fanout", names, &sender, &packets,
                                     &bytes, &cache_s, &viewers))
        return NULL;
    if (packets == NULL || bytes == NULL) {
        PyErr_SetString(PyExc_TypeError, "Fanout() needs cache_max_packets and cache_max_bytes");
        return NULL;
    }
    FanoutObject *self = (FanoutObject *)type->tp_alloc(type, 0);
    if (self != NULL && (self->tracks = PyDict_New()) != NULL && open_sender(self, sender) &&
        open_fanout(self, packets, bytes, cache_s, viewers))
        return (PyObject *)self;
    Py_XDECREF(self);
    return NULL;
}

static int fanout_traverse(FanoutObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->sender.function);
    Py_VISIT(self->tracks);
    return 0;
}

static int fanout_clear(FanoutObject *self)
{
    Py_CLEAR(self->sender.function);
    Py_CLEAR(self->tracks);
    return 0;
}

static void fanout_dealloc(FanoutObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    fanout_clear(self);
    sl_fanout_free(self->fanout);
    sl_datagrams_free(self->datagrams);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- viewers ---- */

static const char *const kinds[SL_KINDS] = {[SL_AUDIO] = "audio", [SL_VIDEO] = "video"};

static PyObject *tracks_of(const sl_viewer *viewer)
{
    PyObject *pairs = PyTuple_New((Py_ssize_t)viewer->track_count);
    for (size_t at = 0; pairs != NULL && at < viewer->track_count; at++) {
        const sl_viewer_track *track = &viewer->tracks[at];
        PyObject *pair = Py_BuildValue("(iI)", track->kind, track->ssrc);
        if (pair == NULL)
            Py_CLEAR(pairs);
        else
            PyTuple_SET_ITEM(pairs, (Py_ssize_t)at, pair);
    }
    return pairs;
}

static PyObject *refuse(sl_fanout_result result, uint64_t id)
{
    if (result == SL_FANOUT_TAKEN)
        return PyErr_Format(PyExc_ValueError, "viewer %llu is served already", id);
    if (result == SL_FANOUT_FULL)
        return PyErr_Format(PyExc_ValueError, "there are as many viewers as there may be");
    if (result == SL_FANOUT_MALFORMED)
        return PyErr_Format(PyExc_ValueError, "a viewer has one track of a kind");
    return PyErr_NoMemory();
}

static PyObject *fanout_add_viewer(FanoutObject *self, PyObject *value)
{
    sl_viewer viewer = {0};
    PyObject *id = NULL, *tracks = NULL, *done = NULL;
    if (sl_py_viewer(value, &viewer) && is_free(self) &&
        (id = PyLong_FromUnsignedLongLong(viewer.id)) != NULL &&
        (tracks = tracks_of(&viewer)) != NULL) {
        sl_fanout_result result = sl_fanout_add_viewer(self->fanout, &viewer);
        if (result != SL_FANOUT_OK)
            refuse(result, viewer.id);
        else if (PyDict_SetItem(self->tracks, id, tracks) < 0)
            sl_fanout_remove_viewer(self->fanout, viewer.id);
        else
            done = Py_NewRef(Py_None);
    }
    sl_srtp_release(viewer.srtp);
    Py_XDECREF(tracks);
    Py_XDECREF(id);
    return done;
}

static PyObject *fanout_remove_viewer(FanoutObject *self, PyObject *value)
{
    uint64_t id;
    if (!sl_py_id(value, &id) || !is_free(self))
        return NULL;
    if (sl_fanout_remove_viewer(self->fanout, id) && PyDict_DelItem(self->tracks, value) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *fanout_set_address(FanoutObject *self, PyObject *args)
{
    PyObject *id_value, *pair;
    uint64_t id;
    sl_address address;
    if (!PyArg_ParseTuple(args, "OO:set_address", &id_value, &pair) || !sl_py_id(id_value, &id) ||
        !sl_py_address(pair, &address) || !is_free(self))
        return NULL;
    sl_fanout_set_address(self->fanout, id, &address);
    Py_RETURN_NONE;
}

static PyObject *fanout_pause(FanoutObject *self, PyObject *value)
{
    uint64_t id;
    if (!sl_py_id(value, &id) || !is_free(self))
        return NULL;
    sl_fanout_pause(self->fanout, id);
    Py_RETURN_NONE;
}

static PyObject *fanout_resume(FanoutObject *self, PyObject *value)
{
    uint64_t id;
    if (!sl_py_id(value, &id) || !is_free(self))
        return NULL;
    sl_fanout_resume(self->fanout, id);
    Py_RETURN_NONE;
}

/* ---- sending ---- */

static bool is_moment(double now)
{
    if (isfinite(now) && fabs(now) <= MAX_NOW)
        return true;
    PyErr_SetString(PyExc_ValueError, "now is no moment");
    return false;
}

/* Runs `call` with the GIL where the sender is a function, without where it is a socket. */
#define SENDING(self, call)                                                                        \
    do {                                                                                           \
        (self)->is_sending = true;                                                                 \
        PyThreadState *state = (self)->sender.function ? NULL : PyEval_SaveThread();                        \
        call;                                                                                      \
        if (state != NULL)                                                                         \
            PyEval_RestoreThread(state);                                                           \
        (self)->is_sending = false;                                                                \
    } while (0)

static PyObject *after_sending(FanoutObject *self)
{
    bool failed = self->sender.has_failed;
    self->sender.has_failed = false;
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static bool packets_from(PyObject *items, sl_packet *packets)
{
    for (Py_ssize_t at = 0; at < PySequence_Fast_GET_SIZE(items); at++)
        if (!sl_py_packet(PySequence_Fast_GET_ITEM(items, at), &packets[at]))
            return false;
    return true;
}

static PyObject *fanout_send(FanoutObject *self, PyObject *args)
{
    PyObject *batch;
    double now;
    if (!PyArg_ParseTuple(args, "Od:send", &batch, &now) || !is_moment(now))
        return NULL;
    /* A tuple of its own: nobody takes packets out of it while they are sent. */
    PyObject *items = PySequence_Tuple(batch);
    if (items == NULL)
        return NULL;
    size_t count = (size_t)PyTuple_GET_SIZE(items);
    sl_packet *packets = PyMem_Calloc(count + 1, sizeof *packets);
    PyObject *done = NULL;
    if (packets == NULL) {
        PyErr_NoMemory();
    } else if (packets_from(items, packets) && is_free(self)) {
        SENDING(self, sl_fanout_send(self->fanout, self->datagrams, packets, count, now));
        done = after_sending(self);
    }
    PyMem_Free(packets);
    Py_DECREF(items);
    return done;
}

static bool sequences_from(PyObject *items, uint16_t *sequences)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(items); at++) {
        long long number;
        if (!sl_py_integer(PyTuple_GET_ITEM(items, at), "a sequence", 0, UINT16_MAX, &number))
            return false;
        sequences[at] = (uint16_t)number;
    }
    return true;
}

static PyObject *fanout_resend(FanoutObject *self, PyObject *args)
{
    PyObject *id_value, *ssrc_value, *given;
    uint64_t id;
    long long ssrc;
    double now;
    if (!PyArg_ParseTuple(args, "OOOd:resend", &id_value, &ssrc_value, &given, &now) ||
        !sl_py_id(id_value, &id) || !sl_py_integer(ssrc_value, "ssrc", 0, UINT32_MAX, &ssrc) ||
        !is_moment(now))
        return NULL;
    PyObject *items = PySequence_Tuple(given);
    if (items == NULL)
        return NULL;
    size_t count = (size_t)PyTuple_GET_SIZE(items);
    uint16_t *sequences = PyMem_Calloc(count + 1, sizeof *sequences);
    PyObject *done = NULL;
    if (sequences == NULL) {
        PyErr_NoMemory();
    } else if (sequences_from(items, sequences) && is_free(self)) {
        SENDING(self, sl_fanout_resend(self->fanout, self->datagrams, id, (uint32_t)ssrc, sequences,
                                       count, now));
        done = after_sending(self);
    }
    PyMem_Free(sequences);
    Py_DECREF(items);
    return done;
}

/* ---- what is told ---- */

static PyObject *fanout_sent(FanoutObject *self, PyObject *value)
{
    uint64_t id;
    sl_sent_track sent[SL_KINDS];
    if (!sl_py_id(value, &id) || !is_free(self))
        return NULL;
    PyObject *list = PyList_New(0);
    if (list == NULL || !sl_fanout_sent(self->fanout, id, sent))
        return list;
    PyObject *tracks = PyDict_GetItemWithError(self->tracks, value);
    for (Py_ssize_t at = 0; tracks != NULL && at < PyTuple_GET_SIZE(tracks); at++) {
        int kind;
        unsigned ssrc;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(tracks, at), "iI", &kind, &ssrc))
            break;
        if (sent[kind].packets == 0)
            continue;
        PyObject *track = Py_BuildValue("(sIIKK)", kinds[kind], ssrc, ssrc, sent[kind].packets,
                                        sent[kind].octets);
        if (track == NULL || PyList_Append(list, track) < 0)
            tracks = NULL;
        Py_XDECREF(track);
    }
    if (PyErr_Occurred())
        Py_CLEAR(list);
    return list;
}

static PyObject *get_counters(FanoutObject *self, void *closure)
{
    (void)closure;
    sl_fanout_counts counts = sl_fanout_counters(self->fanout);
    return Py_BuildValue("(KKK)", counts.forwarded, counts.dropped, counts.resent);
}

static PyObject *get_waiting(FanoutObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromSize_t(sl_fanout_waiting(self->fanout));
}

static PyObject *get_segments(FanoutObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(sl_datagrams_segments(self->datagrams));
}

static int set_segments(FanoutObject *self, PyObject *value, void *closure)
{
    (void)closure;
    int segments = value ? PyObject_IsTrue(value) : -1;
    if (value == NULL)
        PyErr_SetString(PyExc_AttributeError, "segments can't be deleted");
    if (segments < 0 || !is_free(self))
        return -1;
    sl_datagrams_set_segments(self->datagrams, segments);
    return 0;
}

static PyMethodDef methods[] = {
    {"add_viewer", (PyCFunction)fanout_add_viewer, METH_O, "Serve a viewer from now on."},
    {"remove_viewer", (PyCFunction)fanout_remove_viewer, METH_O, "Forget a viewer."},
    {"set_address", (PyCFunction)fanout_set_address, METH_VARARGS, "Send to another address."},
    {"pause", (PyCFunction)fanout_pause, METH_O, "Send nothing until `resume`."},
    {"resume", (PyCFunction)fanout_resume, METH_O, "Go on."},
    {"send", (PyCFunction)fanout_send, METH_VARARGS, "send(batch, now)"},
    {"resend", (PyCFunction)fanout_resend, METH_VARARGS, "resend(viewer_id, ssrc, sequences, now)"},
    {"sent", (PyCFunction)fanout_sent, METH_O, "What went to a viewer so far."},
    {NULL},
};

static PyGetSetDef properties[] = {
    {"counters", (getter)get_counters, NULL, "(forwarded, dropped, resent)", NULL},
    {"waiting", (getter)get_waiting, NULL, "How many viewers wait for a keyframe.", NULL},
    {"segments", (getter)get_segments, (setter)set_segments,
     "Whether the kernel segments; False once it refused.", NULL},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The viewers of one stream and the way to them; see media.relay.fanout."},
    {Py_tp_new, fanout_new},
    {Py_tp_dealloc, fanout_dealloc},
    {Py_tp_traverse, fanout_traverse},
    {Py_tp_clear, fanout_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "media._native.Fanout",
    .basicsize = sizeof(FanoutObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int sl_add_fanout(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddObjectRef(module, "Fanout", type);
    Py_DECREF(type);
    return added;
}
