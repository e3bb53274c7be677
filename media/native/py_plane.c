/* media._native.Plane: the thread of one UDP socket. media/native_plane.py gives it its shape. */
#include "py_plane.h"

#include <string.h>

#include "module.h"
#include "py_peer.h"
#include "py_values.h"
#include "rtcp.h"

typedef struct {
    PyObject_HEAD
    sl_plane *plane;
} PlaneObject;

static bool read_settings(PyObject *args, PyObject *kwargs, int *fd, sl_plane_settings *settings)
{
    static char *names[] = {"fd",      "seed",        "cache_max_packets",
                            "cache_max_bytes", "cache_s", "max_viewers",
                            "resends_per_s", "max_publisher_bitrate_bps", NULL};
    Py_buffer seed;
    Py_ssize_t packets, bytes, viewers;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "iy*nndndd:Plane", names, fd, &seed, &packets, &bytes,
            &settings->fanout.cache_s, &viewers, &settings->resends_per_s,
            &settings->max_publisher_bitrate_bps
        ))
        return false;
    bool is_valid = seed.len == SL_ADDRESSES_SEED && packets > 0 && bytes > 0 && viewers > 0;
    if (is_valid)
        memcpy(settings->seed, seed.buf, SL_ADDRESSES_SEED);
    else
        PyErr_SetString(PyExc_ValueError, "a seed has 16 bytes, and limits are above 0");
    PyBuffer_Release(&seed);
    settings->fanout.cache_max_packets = (size_t)packets;
    settings->fanout.cache_max_bytes = (size_t)bytes;
    settings->fanout.max_viewers = (size_t)viewers;
    return is_valid;
}

static PyObject *plane_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int fd;
    sl_plane_settings settings = {0};
    if (!read_settings(args, kwargs, &fd, &settings))
        return NULL;
    PlaneObject *self = (PlaneObject *)type->tp_alloc(type, 0);
    if (self && ((self->plane = sl_plane_new(fd, &settings)) == NULL ||
                 !sl_plane_start(self->plane))) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void plane_dealloc(PlaneObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->plane) {
        sl_plane_stop(self->plane); /* the thread needs no GIL to end */
        sl_plane_free(self->plane);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

sl_plane *sl_py_plane(PyObject *object)
{
    if (Py_TYPE(object)->tp_dealloc == (destructor)plane_dealloc)
        return ((PlaneObject *)object)->plane;
    PyErr_SetString(PyExc_TypeError, "a Plane is needed");
    return NULL;
}

PyObject *sl_py_command(sl_plane *plane, sl_command *command)
{
    if (command == NULL)
        return PyErr_NoMemory();
    if (sl_plane_command(plane, command))
        Py_RETURN_NONE;
    PyErr_SetString(PyExc_RuntimeError, "the data plane can't keep up");
    return NULL;
}

static PyObject *plane_close(PlaneObject *self, PyObject *Py_UNUSED(unused))
{
    Py_BEGIN_ALLOW_THREADS
    sl_plane_stop(self->plane);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *plane_send(PlaneObject *self, PyObject *args)
{
    Py_buffer datagram;
    PyObject *address;
    sl_address to;
    if (!PyArg_ParseTuple(args, "y*O:send", &datagram, &address))
        return NULL;
    bool is_read = sl_py_address(address, &to);
    bool sent = is_read && sl_plane_send(self->plane, datagram.buf, (size_t)datagram.len, &to);
    PyBuffer_Release(&datagram);
    return is_read ? PyBool_FromLong(sent) : NULL;
}

static PyObject *plane_send_rtcp(PlaneObject *self, PyObject *args)
{
    PyObject *object;
    Py_buffer packet;
    uint8_t protected[SL_RTCP_MAX_SIZE + SL_SRTP_MAX_RTCP_TRAILER];
    if (!PyArg_ParseTuple(args, "Oy*:send_rtcp", &object, &packet))
        return NULL;
    sl_peer *peer = sl_py_peer(object);
    int size = SL_SRTP_FAILED;
    if (peer && packet.len <= SL_RTCP_MAX_SIZE) {
        memcpy(protected, packet.buf, (size_t)packet.len);
        size = sl_srtp_protect_rtcp(peer->srtp, protected, (size_t)packet.len, sizeof protected);
    }
    PyBuffer_Release(&packet);
    if (peer == NULL)
        return NULL;
    bool sent = size > 0 && sl_plane_send(self->plane, protected, (size_t)size, &peer->selected);
    return PyBool_FromLong(sent);
}

/* A command about a peer and an address. */
static PyObject *at_address(PlaneObject *self, PyObject *args, sl_command_kind kind)
{
    PyObject *object, *address;
    sl_address at;
    unsigned ssrc = 0;
    if (!PyArg_ParseTuple(args, kind == SL_BIND ? "OO|I" : "OO", &object, &address, &ssrc) ||
        !sl_py_address(address, &at))
        return NULL;
    sl_peer *peer = sl_py_peer(object);
    if (peer == NULL)
        return NULL;
    if (kind == SL_SELECT)
        peer->selected = at;
    sl_command *command = sl_command_new(kind, peer, NULL);
    if (command) {
        command->address = at;
        command->ssrc = ssrc;
    }
    return sl_py_command(self->plane, command);
}

static PyObject *plane_bind(PlaneObject *self, PyObject *args)
{
    return at_address(self, args, SL_BIND);
}

static PyObject *plane_unbind(PlaneObject *self, PyObject *args)
{
    return at_address(self, args, SL_UNBIND);
}

static PyObject *plane_select(PlaneObject *self, PyObject *args)
{
    return at_address(self, args, SL_SELECT);
}

static PyObject *plane_add_peer(PlaneObject *self, PyObject *object)
{
    sl_peer *peer = sl_py_peer(object);
    return peer ? sl_py_command(self->plane, sl_command_new(SL_ADD_PEER, peer, NULL)) : NULL;
}

static PyObject *plane_remove_peer(PlaneObject *self, PyObject *object)
{
    sl_peer *peer = sl_py_peer(object);
    return peer ? sl_py_command(self->plane, sl_command_new(SL_REMOVE_PEER, peer, NULL)) : NULL;
}

static bool append(PyObject *list, PyObject *item)
{
    bool is_appended = item && PyList_Append(list, item) == 0;
    Py_XDECREF(item);
    return is_appended;
}

static PyObject *plane_take_control(PlaneObject *self, PyObject *Py_UNUSED(unused))
{
    size_t size, at = 0;
    const uint8_t *taken = sl_queue_take(sl_plane_control(self->plane), &size), *bytes;
    sl_record record;
    PyObject *list = PyList_New(0);
    while (list && sl_queue_next(taken, size, &at, &record, &bytes)) {
        PyObject *address = sl_py_address_pair(&record.address);
        PyObject *item =
            address ? Py_BuildValue(
                          "(Iy#N)", record.kind, (const char *)bytes, (Py_ssize_t)record.size,
                          address
                      )
                    : NULL;
        if (!append(list, item))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *plane_take_feedback(PlaneObject *self, PyObject *Py_UNUSED(unused))
{
    size_t size, at = 0;
    const uint8_t *taken = sl_queue_take(sl_plane_feedback(self->plane), &size), *bytes;
    sl_record record;
    PyObject *rtcp = PyList_New(0), *attention = PyList_New(0);
    bool is_whole = rtcp && attention;
    while (is_whole && sl_queue_next(taken, size, &at, &record, &bytes)) {
        unsigned long long number = record.number;
        if (record.kind == SL_FEEDBACK_ATTENTION)
            is_whole = append(attention, PyLong_FromUnsignedLongLong(number));
        else
            is_whole = append(
                rtcp, Py_BuildValue("(Ky#)", number, (const char *)bytes, (Py_ssize_t)record.size)
            );
    }
    if (is_whole)
        return Py_BuildValue("(NN)", rtcp, attention);
    Py_XDECREF(rtcp);
    Py_XDECREF(attention);
    return NULL;
}

static PyObject *plane_hear(PlaneObject *self, PyObject *Py_UNUSED(unused))
{
    sl_plane_hear(self->plane);
    Py_RETURN_NONE;
}

static PyObject *named(const char *const *names, const uint64_t *counters, size_t count)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < count; i++) {
        uint64_t counted = sl_counted(&counters[i]);
        if (counted == 0)
            continue;
        PyObject *number = PyLong_FromUnsignedLongLong(counted);
        if (number == NULL || PyDict_SetItemString(dict, names[i], number) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(number);
    }
    return dict;
}

static PyObject *plane_counts(PlaneObject *self, PyObject *Py_UNUSED(unused))
{
    const sl_counts *counts = sl_plane_counts(self->plane);
    PyObject *datagrams = named(sl_datagram_names, counts->datagrams, SL_DATAGRAM_KINDS);
    PyObject *dropped = named(sl_drop_names, counts->dropped, SL_DROPS);
    if (datagrams && dropped)
        return Py_BuildValue("(NN)", datagrams, dropped);
    Py_XDECREF(datagrams);
    Py_XDECREF(dropped);
    return NULL;
}

static PyObject *from_buckets(const sl_times *times)
{
    PyObject *tuple = PyTuple_New(SL_TIMES_BUCKETS);
    for (Py_ssize_t i = 0; tuple && i < SL_TIMES_BUCKETS; i++) {
        PyObject *bucket = Py_BuildValue(
            "(dK)", sl_times_bound_s((size_t)i),
            (unsigned long long)sl_times_count(times, (size_t)i)
        );
        if (bucket == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, bucket);
    }
    return tuple;
}

static PyObject *plane_relay_times(PlaneObject *self, PyObject *Py_UNUSED(unused))
{
    const sl_times *times = sl_plane_times(self->plane);
    PyObject *buckets = from_buckets(times);
    return buckets ? Py_BuildValue("(Nd)", buckets, sl_times_total_s(times)) : NULL;
}

static PyObject *plane_event_fd(PlaneObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(sl_plane_event_fd(self->plane));
}

static PyObject *plane_cpu_s(PlaneObject *self, void *Py_UNUSED(closure))
{
    return PyFloat_FromDouble(sl_plane_cpu_s(self->plane));
}

static PyMethodDef methods[] = {
    {"close", (PyCFunction)plane_close, METH_NOARGS, "End the thread. May be called twice."},
    {"send", (PyCFunction)plane_send, METH_VARARGS, "(datagram, address): whether it went."},
    {"send_rtcp", (PyCFunction)plane_send_rtcp, METH_VARARGS, "(peer, packet): whether it went."},
    {"add_peer", (PyCFunction)plane_add_peer, METH_O, "(peer)"},
    {"remove_peer", (PyCFunction)plane_remove_peer, METH_O, "(peer)"},
    {"bind", (PyCFunction)plane_bind, METH_VARARGS, "(peer, address, ssrc=0)"},
    {"unbind", (PyCFunction)plane_unbind, METH_VARARGS, "(peer, address)"},
    {"select", (PyCFunction)plane_select, METH_VARARGS, "(peer, address)"},
    {"hear", (PyCFunction)plane_hear, METH_NOARGS, "Let event_fd be readable anew, then take."},
    {"take_control", (PyCFunction)plane_take_control, METH_NOARGS,
     "[(kind, datagram, address)] since the last time."},
    {"take_feedback", (PyCFunction)plane_take_feedback, METH_NOARGS,
     "([(peer, packet)], [stream]) since the last time."},
    {"counts", (PyCFunction)plane_counts, METH_NOARGS, "(datagrams by kind, dropped by reason)"},
    {"relay_times", (PyCFunction)plane_relay_times, METH_NOARGS,
     "(((upper bound in s, count), ...), total in s)"},
    {NULL},
};

static PyGetSetDef properties[] = {
    {"cpu_s", (getter)plane_cpu_s, NULL, "CPU time of the thread; 0 after close.", NULL},
    {"event_fd", (getter)plane_event_fd, NULL, "Readable while there is something to take.", NULL},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The data plane of one UDP socket, in a thread of its own."},
    {Py_tp_new, plane_new},
    {Py_tp_dealloc, plane_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "media._native.Plane",
    .basicsize = sizeof(PlaneObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int sl_add_plane(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddObjectRef(module, "Plane", type);
    Py_DECREF(type);
    return added;
}
