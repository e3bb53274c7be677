/* media._native.Peer: the keys of a peer; media._native.Sent: how much went to a viewer. */
#include "py_peer.h"

#include "module.h"
#include "py_srtp.h"

typedef struct {
    PyObject_HEAD
    sl_peer *peer;
} PeerObject;

typedef struct {
    PyObject_HEAD
    sl_sent *sent;
} SentObject;

static PyObject *peer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"number", "is_publisher", "profile", "local", "remote", NULL};
    unsigned long long number;
    int is_publisher, profile;
    Py_buffer local, remote;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "Kpiy*y*:Peer", names, &number, &is_publisher, &profile, &local, &remote
        ))
        return NULL;
    sl_srtp *srtp = sl_py_new_srtp(profile, &local, &remote);
    PyBuffer_Release(&local);
    PyBuffer_Release(&remote);
    if (srtp == NULL)
        return NULL;
    PeerObject *self = (PeerObject *)type->tp_alloc(type, 0);
    if (self) {
        self->peer = sl_peer_new(number, is_publisher, srtp);
        if (self->peer == NULL) {
            Py_CLEAR(self);
            PyErr_NoMemory();
        }
    }
    sl_srtp_release(srtp);
    return (PyObject *)self;
}

static void peer_dealloc(PeerObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    sl_peer_release(self->peer);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *peer_heard_at(PeerObject *self, void *Py_UNUSED(closure))
{
    return PyFloat_FromDouble(sl_peer_heard_at(self->peer));
}

static PyObject *sent_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Sent", names))
        return NULL;
    SentObject *self = (SentObject *)type->tp_alloc(type, 0);
    if (self && (self->sent = sl_sent_new()) == NULL) {
        Py_CLEAR(self);
        PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void sent_dealloc(SentObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->sent)
        sl_sent_release(self->sent);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *sent_read(SentObject *self, PyObject *Py_UNUSED(unused))
{
    sl_sent_track audio = sl_sent_read(self->sent, SL_AUDIO);
    sl_sent_track video = sl_sent_read(self->sent, SL_VIDEO);
    return Py_BuildValue(
        "((KK)(KK))", (unsigned long long)audio.packets, (unsigned long long)audio.octets,
        (unsigned long long)video.packets, (unsigned long long)video.octets
    );
}

/* No type of ours can be inherited from, so the way it is freed tells what an object is. */
sl_peer *sl_py_peer(PyObject *object)
{
    if (Py_TYPE(object)->tp_dealloc == (destructor)peer_dealloc)
        return ((PeerObject *)object)->peer;
    PyErr_SetString(PyExc_TypeError, "a Peer is needed");
    return NULL;
}

sl_sent *sl_py_sent(PyObject *object)
{
    if (Py_TYPE(object)->tp_dealloc == (destructor)sent_dealloc)
        return ((SentObject *)object)->sent;
    PyErr_SetString(PyExc_TypeError, "a Sent is needed");
    return NULL;
}

static PyGetSetDef peer_properties[] = {
    {"heard_at", (getter)peer_heard_at, NULL, "When authentic RTP or RTCP last came.", NULL},
    {NULL},
};

static PyType_Slot peer_slots[] = {
    {Py_tp_doc, "Whoever has agreed on keys with us."},
    {Py_tp_new, peer_new},
    {Py_tp_dealloc, peer_dealloc},
    {Py_tp_getset, peer_properties},
    {0, NULL},
};

static PyType_Spec peer_spec = {
    .name = "media._native.Peer",
    .basicsize = sizeof(PeerObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = peer_slots,
};

static PyMethodDef sent_methods[] = {
    {"read", (PyCFunction)sent_read, METH_NOARGS, "(packets, octets) of audio and of video."},
    {NULL},
};

static PyType_Slot sent_slots[] = {
    {Py_tp_doc, "How much went to a viewer, written by the plane's thread."},
    {Py_tp_new, sent_new},
    {Py_tp_dealloc, sent_dealloc},
    {Py_tp_methods, sent_methods},
    {0, NULL},
};

static PyType_Spec sent_spec = {
    .name = "media._native.Sent",
    .basicsize = sizeof(SentObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = sent_slots,
};

static int add(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddObjectRef(module, name, type);
    Py_DECREF(type);
    return added;
}

int sl_add_peer(PyObject *module)
{
    return add(module, "Peer", &peer_spec) < 0 ? -1 : add(module, "Sent", &sent_spec);
}
