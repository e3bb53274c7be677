/* media._native.Srtp: the SRTP contexts of one peer, for tests and for whoever has no plane. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <openssl/crypto.h>
#include <stdbool.h>

#include "kdf.h"
#include "module.h"
#include "py_srtp.h"
#include "rtp.h"
#include "transform.h"

enum { MAX_PACKET = 65535 };

typedef struct {
    PyObject_HEAD
    sl_srtp *srtp;
} SrtpObject;

static const char *const refusals[] = {
    [-SL_SRTP_MALFORMED] = "malformed",
    [-SL_SRTP_FORGED] = "forged",
    [-SL_SRTP_REPLAYED] = "replayed",
    [-SL_SRTP_TOO_MANY_SSRCS] = "too many SSRCs",
    [-SL_SRTP_FAILED] = "failed",
};

sl_srtp *sl_py_new_srtp(int profile, const Py_buffer *local, const Py_buffer *remote)
{
    if (profile < 0 || profile >= SL_SRTP_PROFILES) {
        PyErr_Format(PyExc_ValueError, "no SRTP profile has the number %d", profile);
        return NULL;
    }
    Py_ssize_t size = (Py_ssize_t)sl_srtp_material_size((sl_srtp_profile)profile);
    if (local->len != size || remote->len != size) {
        PyErr_Format(PyExc_ValueError, "the profile needs %zd bytes of key and salt a side", size);
        return NULL;
    }
    sl_srtp *srtp = sl_srtp_new((sl_srtp_profile)profile, local->buf, remote->buf);
    if (srtp == NULL)
        PyErr_SetString(PyExc_RuntimeError, "OpenSSL made no context");
    return srtp;
}

static PyObject *object_of(PyTypeObject *type, sl_srtp *srtp)
{
    SrtpObject *self = srtp ? (SrtpObject *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL)
        sl_srtp_release(srtp);
    else
        self->srtp = srtp;
    return (PyObject *)self;
}

static PyObject *srtp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"profile", "local", "remote", NULL};
    int profile;
    Py_buffer local, remote;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iy*y*", names, &profile, &local, &remote))
        return NULL;
    sl_srtp *srtp = sl_py_new_srtp(profile, &local, &remote);
    PyBuffer_Release(&local);
    PyBuffer_Release(&remote);
    return object_of(type, srtp);
}

/* What `derived` is given, checked against the profile. */
static bool session_keys_from(int profile, const Py_buffer *key, const Py_buffer *salt,
                              const Py_buffer *mac_key, sl_session_keys *keys)
{
    bool fits = profile >= 0 && profile < SL_SRTP_PROFILES &&
                (size_t)key->len == sl_transform_key_size((sl_srtp_profile)profile) &&
                (size_t)salt->len == sl_transform_salt_size((sl_srtp_profile)profile) &&
                mac_key->len == sizeof keys->mac_key;
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "no such profile, or keys of other sizes");
        return false;
    }
    memcpy(keys->key, key->buf, (size_t)key->len);
    memcpy(keys->salt, salt->buf, (size_t)salt->len);
    memcpy(keys->mac_key, mac_key->buf, sizeof keys->mac_key);
    return true;
}

static PyObject *srtp_derived(PyTypeObject *type, PyObject *args)
{
    int profile, by_openssl = 0;
    Py_buffer key, salt, mac_key;
    sl_session_keys keys;
    sl_srtp *srtp = NULL;
    if (!PyArg_ParseTuple(args, "iy*y*y*|p:derived", &profile, &key, &salt, &mac_key,
                          &by_openssl))
        return NULL;
    if (session_keys_from(profile, &key, &salt, &mac_key, &keys) &&
        (srtp = sl_srtp_new_derived((sl_srtp_profile)profile, &keys, by_openssl)) == NULL)
        PyErr_SetString(PyExc_RuntimeError, "OpenSSL made no context");
    OPENSSL_cleanse(&keys, sizeof keys);
    PyBuffer_Release(&key);
    PyBuffer_Release(&salt);
    PyBuffer_Release(&mac_key);
    return object_of(type, srtp);
}

/* derive(master_key, master_salt, label, size) */
static PyObject *srtp_derive(PyObject *type, PyObject *args)
{
    Py_buffer key, salt;
    int label, size;
    PyObject *derived = NULL;
    (void)type;
    if (!PyArg_ParseTuple(args, "y*y*ii:derive", &key, &salt, &label, &size))
        return NULL;
    if ((key.len != 16 && key.len != 32) || salt.len > SL_KDF_MAX_SALT || label < 0 ||
        label > UINT8_MAX || size < 1 || size > MAX_PACKET)
        PyErr_SetString(PyExc_ValueError, "keys have 16 or 32 bytes, salts 14 at most");
    else if ((derived = PyBytes_FromStringAndSize(NULL, size)) != NULL &&
             !sl_kdf_derive(key.buf, (size_t)key.len, salt.buf, (size_t)salt.len, (uint8_t)label,
                            (uint8_t *)PyBytes_AS_STRING(derived), (size_t)size)) {
        Py_CLEAR(derived);
        PyErr_SetString(PyExc_RuntimeError, "OpenSSL derived nothing");
    }
    PyBuffer_Release(&key);
    PyBuffer_Release(&salt);
    return derived;
}

static void srtp_dealloc(SrtpObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    sl_srtp_release(self->srtp);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *refused(int refusal)
{
    PyErr_SetString(PyExc_ValueError, refusals[-refusal]);
    return NULL;
}

/* Cuts `packet` to what a call left of it, or raises what it said. Steals the reference. */
static PyObject *result(PyObject *packet, int size)
{
    if (size < 0) {
        Py_DECREF(packet);
        return refused(size);
    }
    _PyBytes_Resize(&packet, size);
    return packet;
}

static PyObject *srtp_protect(SrtpObject *self, PyObject *args)
{
    Py_buffer header, payload;
    unsigned long long index;
    if (!PyArg_ParseTuple(args, "y*y*K:protect", &header, &payload, &index))
        return NULL;
    PyObject *packet = NULL;
    if (header.len < SL_RTP_HEADER_SIZE || header.len + payload.len > MAX_PACKET || index >> 48)
        PyErr_SetString(PyExc_ValueError, "no RTP header, too long, or an index above 48 bits");
    else if ((packet = PyBytes_FromStringAndSize(
                  NULL, header.len + payload.len + SL_SRTP_MAX_TAG)) != NULL) {
        uint8_t *out = (uint8_t *)PyBytes_AS_STRING(packet);
        memcpy(out, header.buf, (size_t)header.len);
        packet = result(packet, sl_srtp_protect_rtp(self->srtp, out, (size_t)header.len,
                                                    payload.buf, (size_t)payload.len, index));
    }
    PyBuffer_Release(&header);
    PyBuffer_Release(&payload);
    return packet;
}

/* A copy of `data` with `room` more bytes. */
static PyObject *copy_of(const Py_buffer *data, Py_ssize_t room)
{
    PyObject *packet = PyBytes_FromStringAndSize(NULL, data->len + room);
    if (packet != NULL)
        memcpy(PyBytes_AS_STRING(packet), data->buf, (size_t)data->len);
    return packet;
}

static PyObject *srtp_protect_rtcp(SrtpObject *self, PyObject *arg)
{
    Py_buffer data;
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    size_t size = (size_t)data.len;
    PyObject *packet = copy_of(&data, SL_SRTP_MAX_RTCP_TRAILER);
    PyBuffer_Release(&data);
    if (packet == NULL)
        return NULL;
    uint8_t *at = (uint8_t *)PyBytes_AS_STRING(packet);
    return result(packet, sl_srtp_protect_rtcp(self->srtp, at, size,
                                               size + SL_SRTP_MAX_RTCP_TRAILER));
}

static PyObject *unprotect_by(SrtpObject *self, PyObject *arg,
                              int (*unprotect)(sl_srtp *, uint8_t *, size_t))
{
    Py_buffer data;
    if (PyObject_GetBuffer(arg, &data, PyBUF_SIMPLE) < 0)
        return NULL;
    size_t size = (size_t)data.len;
    /* One byte more: a copy of one byte is an object that Python shares. */
    PyObject *packet = copy_of(&data, 1);
    PyBuffer_Release(&data);
    if (packet == NULL)
        return NULL;
    return result(packet, unprotect(self->srtp, (uint8_t *)PyBytes_AS_STRING(packet), size));
}

static PyObject *srtp_unprotect(SrtpObject *self, PyObject *arg)
{
    return unprotect_by(self, arg, sl_srtp_unprotect_rtp);
}

static PyObject *srtp_unprotect_rtcp(SrtpObject *self, PyObject *arg)
{
    return unprotect_by(self, arg, sl_srtp_unprotect_rtcp);
}

static PyMethodDef methods[] = {
    {"derived", (PyCFunction)srtp_derived, METH_VARARGS | METH_CLASS,
     "derived(profile, key, salt, mac_key, by_openssl=False): with session keys."},
    {"derive", (PyCFunction)srtp_derive, METH_VARARGS | METH_STATIC,
     "derive(master_key, master_salt, label, size): a session key."},
    {"protect", (PyCFunction)srtp_protect, METH_VARARGS, "The SRTP packet of header and payload."},
    {"protect_rtcp", (PyCFunction)srtp_protect_rtcp, METH_O, "The SRTCP packet."},
    {"unprotect", (PyCFunction)srtp_unprotect, METH_O, "The RTP packet, or ValueError."},
    {"unprotect_rtcp", (PyCFunction)srtp_unprotect_rtcp, METH_O, "The RTCP packet, or ValueError."},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "SRTP of one peer, both directions; one thread at a time."},
    {Py_tp_new, srtp_new},
    {Py_tp_dealloc, srtp_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "media._native.Srtp",
    .basicsize = sizeof(SrtpObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int sl_add_srtp(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddObjectRef(module, "Srtp", type);
    Py_DECREF(type);
    return added;
}
