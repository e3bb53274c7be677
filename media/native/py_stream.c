/* media._native.Stream: one stream of a plane. What only the thread may touch goes there as a
 * command; what is read here is read under the stream's lock, and made into objects after it. */
#include <string.h>

#include "module.h"
#include "py_peer.h"
#include "py_plane.h"
#include "py_track.h"
#include "py_values.h"

enum { MAX_RESENT = 1024 }; /* numbers of one call */

typedef struct {
    PyObject_HEAD
    PyObject *plane; /* keeps it alive */
    sl_stream *stream;
} StreamObject;

static sl_plane *plane_of(StreamObject *self)
{
    return sl_py_plane(self->plane);
}

static PyObject *stream_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"plane", "number", NULL};
    PyObject *object;
    unsigned long long number;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OK:Stream", names, &object, &number))
        return NULL;
    sl_plane *plane = sl_py_plane(object);
    StreamObject *self = plane ? (StreamObject *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL)
        return NULL;
    const sl_plane_settings *settings = sl_plane_settings_of(plane);
    self->plane = Py_NewRef(object);
    self->stream = sl_stream_new(number, &settings->fanout, settings->max_publisher_bitrate_bps);
    sl_command *command = self->stream ? sl_command_new(SL_ADD_STREAM, NULL, self->stream) : NULL;
    PyObject *done = sl_py_command(plane, command);
    if (done == NULL)
        Py_CLEAR(self);
    Py_XDECREF(done);
    return (PyObject *)self;
}

static void stream_dealloc(StreamObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    sl_stream_release(self->stream);
    Py_XDECREF(self->plane);
    type->tp_free(self);
    Py_DECREF(type);
}

static void lock(StreamObject *self)
{
    pthread_mutex_lock(&self->stream->lock);
}

static void unlock(StreamObject *self)
{
    pthread_mutex_unlock(&self->stream->lock);
}

static PyObject *stream_set_publisher(StreamObject *self, PyObject *args)
{
    sl_track_spec specs[SL_KINDS];
    PyObject *object, *tracks;
    double now;
    if (!PyArg_ParseTuple(args, "OOd:set_publisher", &object, &tracks, &now))
        return NULL;
    sl_peer *peer = sl_py_peer(object);
    Py_ssize_t count = peer ? sl_py_track_specs(tracks, specs) : -1;
    if (count < 0)
        return NULL;
    sl_stream_set_publisher(self->stream, peer->number, specs, (size_t)count, now);
    return sl_py_command(plane_of(self), sl_command_new(SL_PUBLISH, peer, self->stream));
}

static PyObject *stream_publisher_gone(StreamObject *self, PyObject *Py_UNUSED(unused))
{
    sl_stream_publisher_gone(self->stream);
    Py_RETURN_NONE;
}

/* The viewer of a command, with references to `peer`'s keys and to `sent`. */
static sl_viewer *viewer_of(PyObject *value, const sl_peer *peer, sl_sent *sent)
{
    sl_viewer *viewer = calloc(1, sizeof *viewer);
    if (viewer == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (!sl_py_viewer_without_keys(value, viewer)) {
        free(viewer);
        return NULL;
    }
    viewer->id = peer->number;
    viewer->srtp = sl_srtp_retain(peer->srtp);
    viewer->sent = sl_sent_retain(sent);
    return viewer;
}

static PyObject *stream_add_viewer(StreamObject *self, PyObject *args)
{
    PyObject *peer_object, *value, *sent_object;
    if (!PyArg_ParseTuple(args, "OOO:add_viewer", &peer_object, &value, &sent_object))
        return NULL;
    sl_peer *peer = sl_py_peer(peer_object);
    sl_sent *sent = peer ? sl_py_sent(sent_object) : NULL;
    if (sent == NULL)
        return NULL;
    if (peer->was_served) { /* RFC 7714 §8.4: with numbers from the start, indexes would recur */
        PyErr_SetString(PyExc_ValueError, "a viewer's keys are good for being served once");
        return NULL;
    }
    sl_viewer *viewer = viewer_of(value, peer, sent);
    if (viewer == NULL)
        return NULL;
    sl_command *command = sl_command_new(SL_ADD_VIEWER, peer, self->stream);
    if (command == NULL) {
        sl_srtp_release(viewer->srtp);
        sl_sent_release(viewer->sent);
        free(viewer);
        return PyErr_NoMemory();
    }
    command->viewer = viewer;
    peer->was_served = true;
    return sl_py_command(plane_of(self), command);
}

/* A command about a viewer. */
static PyObject *about(StreamObject *self, PyObject *object, sl_command_kind kind)
{
    sl_peer *peer = sl_py_peer(object);
    if (peer == NULL)
        return NULL;
    sl_command *command = sl_command_new(kind, peer, self->stream);
    if (command)
        command->number = peer->number;
    return sl_py_command(plane_of(self), command);
}

static PyObject *stream_remove_viewer(StreamObject *self, PyObject *peer)
{
    return about(self, peer, SL_REMOVE_VIEWER);
}

static PyObject *stream_pause(StreamObject *self, PyObject *peer)
{
    return about(self, peer, SL_PAUSE);
}

static PyObject *stream_resume(StreamObject *self, PyObject *peer)
{
    return about(self, peer, SL_RESUME);
}

static bool read_sequences(PyObject *tuple, sl_command *command)
{
    command->count = (size_t)PyTuple_GET_SIZE(tuple);
    command->sequences = calloc(command->count + 1, sizeof *command->sequences);
    if (command->sequences == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < command->count; i++) {
        long sequence = PyLong_AsLong(PyTuple_GET_ITEM(tuple, (Py_ssize_t)i));
        if (PyErr_Occurred())
            return false;
        command->sequences[i] = (uint16_t)sequence;
    }
    return true;
}

static PyObject *stream_resend(StreamObject *self, PyObject *args)
{
    PyObject *object, *sequences;
    unsigned ssrc;
    if (!PyArg_ParseTuple(args, "OIO!:resend", &object, &ssrc, &PyTuple_Type, &sequences))
        return NULL;
    sl_peer *peer = sl_py_peer(object);
    if (peer == NULL)
        return NULL;
    if (PyTuple_GET_SIZE(sequences) > MAX_RESENT) {
        PyErr_SetString(PyExc_ValueError, "more numbers than a call has");
        return NULL;
    }
    sl_command *command = sl_command_new(SL_RESEND, peer, self->stream);
    if (command == NULL)
        return PyErr_NoMemory();
    command->number = peer->number;
    command->ssrc = ssrc;
    if (!read_sequences(sequences, command)) {
        sl_command_free(command);
        return NULL;
    }
    return sl_py_command(plane_of(self), command);
}

static PyObject *stream_on_sender_report(StreamObject *self, PyObject *args)
{
    unsigned ssrc, rtp_timestamp;
    unsigned long long ntp;
    double now;
    if (!PyArg_ParseTuple(args, "IKId:on_sender_report", &ssrc, &ntp, &rtp_timestamp, &now))
        return NULL;
    lock(self);
    sl_ingest_on_sender_report(&self->stream->ingest, ssrc, ntp, rtp_timestamp, now);
    unlock(self);
    Py_RETURN_NONE;
}

static PyObject *stream_on_bye(StreamObject *self, PyObject *arg)
{
    unsigned long ssrc = PyLong_AsUnsignedLong(arg);
    if (PyErr_Occurred())
        return NULL;
    lock(self);
    sl_ingest_on_bye(&self->stream->ingest, (uint32_t)ssrc);
    unlock(self);
    Py_RETURN_NONE;
}

static PyObject *stream_reports(StreamObject *self, PyObject *arg)
{
    double now = PyFloat_AsDouble(arg);
    if (PyErr_Occurred())
        return NULL;
    sl_report_block blocks[SL_KINDS];
    lock(self);
    size_t count = sl_ingest_reports(&self->stream->ingest, now, blocks);
    unlock(self);
    return sl_py_from_reports(blocks, count);
}

static PyObject *stream_missing(StreamObject *self, PyObject *arg)
{
    double now = PyFloat_AsDouble(arg);
    if (PyErr_Occurred())
        return NULL;
    uint32_t media_ssrc = 0;
    int64_t sequences[SL_MAX_ASKED];
    lock(self);
    size_t count = sl_ingest_missing(&self->stream->ingest, now, &media_ssrc, sequences);
    self->stream->missing_told = false;
    unlock(self);
    return sl_py_from_missing(media_ssrc, sequences, count);
}

static bool facts_of(StreamObject *self, PyObject *arg, sl_track_facts *facts)
{
    int kind = sl_py_kind(arg);
    if (kind < 0)
        return false;
    lock(self);
    *facts = sl_track_facts_of(&self->stream->ingest, (uint8_t)kind);
    unlock(self);
    return true;
}

static PyObject *stream_media_ssrc(StreamObject *self, PyObject *arg)
{
    sl_track_facts facts;
    return facts_of(self, arg, &facts) ? sl_py_media_ssrc(&facts) : NULL;
}

static PyObject *stream_clock(StreamObject *self, PyObject *arg)
{
    sl_track_facts facts;
    return facts_of(self, arg, &facts) ? sl_py_clock(&facts) : NULL;
}

static PyObject *stream_stats(StreamObject *self, PyObject *arg)
{
    double now = PyFloat_AsDouble(arg);
    if (PyErr_Occurred())
        return NULL;
    sl_track_stats stats[SL_KINDS];
    lock(self);
    size_t count = sl_track_stats_of(&self->stream->ingest, now, stats);
    unlock(self);
    return sl_py_from_stats(stats, count);
}

static PyObject *stream_totals(StreamObject *self, PyObject *Py_UNUSED(unused))
{
    sl_stream *stream = self->stream;
    lock(self);
    uint64_t refused = stream->ingest.refused + stream->rtcp_refused;
    uint64_t over_bitrate = stream->ingest.over_bitrate;
    uint64_t keyframes = stream->ingest.keyframes;
    unlock(self);
    return Py_BuildValue(
        "(KKK)", (unsigned long long)refused, (unsigned long long)over_bitrate,
        (unsigned long long)keyframes
    );
}

static PyObject *stream_counters(StreamObject *self, PyObject *Py_UNUSED(unused))
{
    sl_fanout_counts counts = sl_stream_counters(self->stream);
    return Py_BuildValue(
        "(KKK)", (unsigned long long)counts.forwarded, (unsigned long long)counts.dropped,
        (unsigned long long)counts.resent
    );
}

static PyObject *stream_waiting(StreamObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(sl_stream_waiting(self->stream));
}

static PyObject *stream_close(StreamObject *self, PyObject *Py_UNUSED(unused))
{
    return sl_py_command(plane_of(self), sl_command_new(SL_CLOSE_STREAM, NULL, self->stream));
}

static PyMethodDef methods[] = {
    {"set_publisher", (PyCFunction)stream_set_publisher, METH_VARARGS, "(peer, tracks, now)"},
    {"publisher_gone", (PyCFunction)stream_publisher_gone, METH_NOARGS, "Nothing more is taken."},
    {"add_viewer", (PyCFunction)stream_add_viewer, METH_VARARGS, "(peer, viewer, sent)"},
    {"remove_viewer", (PyCFunction)stream_remove_viewer, METH_O, "(peer)"},
    {"pause", (PyCFunction)stream_pause, METH_O, "(peer)"},
    {"resume", (PyCFunction)stream_resume, METH_O, "(peer)"},
    {"resend", (PyCFunction)stream_resend, METH_VARARGS, "(peer, ssrc, sequences)"},
    {"on_sender_report", (PyCFunction)stream_on_sender_report, METH_VARARGS,
     "(ssrc, ntp, rtp_timestamp, now)"},
    {"on_bye", (PyCFunction)stream_on_bye, METH_O, "(ssrc)"},
    {"reports", (PyCFunction)stream_reports, METH_O, "(now): report blocks."},
    {"missing", (PyCFunction)stream_missing, METH_O, "(now): (media SSRC, sequences) or None."},
    {"media_ssrc", (PyCFunction)stream_media_ssrc, METH_O, "(kind)"},
    {"clock", (PyCFunction)stream_clock, METH_O, "(kind)"},
    {"stats", (PyCFunction)stream_stats, METH_O, "(now): of each track."},
    {"totals", (PyCFunction)stream_totals, METH_NOARGS, "(refused, over_bitrate, keyframes)"},
    {"counters", (PyCFunction)stream_counters, METH_NOARGS, "(forwarded, dropped, resent)"},
    {"close", (PyCFunction)stream_close, METH_NOARGS, "The stream is over."},
    {NULL},
};

static PyGetSetDef properties[] = {
    {"waiting", (getter)stream_waiting, NULL, "Viewers that wait for a keyframe.", NULL},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "One stream of a plane."},
    {Py_tp_new, stream_new},
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "media._native.Stream",
    .basicsize = sizeof(StreamObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int sl_add_stream(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddObjectRef(module, "Stream", type);
    Py_DECREF(type);
    return added;
}
