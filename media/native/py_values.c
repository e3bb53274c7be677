#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "py_values.h"

#include <arpa/inet.h>
#include <string.h>

#include "py_srtp.h"

static const long long MAX_SEQUENCE = 1LL << 47;

static const char *const profile_names[SL_SRTP_PROFILES] = {
    [SL_AEAD_AES_128_GCM] = "AEAD_AES_128_GCM",
    [SL_AEAD_AES_256_GCM] = "AEAD_AES_256_GCM",
    [SL_AES128_CM_SHA1_80] = "AES128_CM_SHA1_80",
};

static const char *const kind_names[SL_KINDS] = {[SL_AUDIO] = "audio", [SL_VIDEO] = "video"};

/* ---- scalars ---- */

bool sl_py_integer(PyObject *value, const char *name, long long least, long long most,
                   long long *out)
{
    *out = PyLong_AsLongLong(value);
    if (*out == -1 && PyErr_Occurred())
        return false;
    if (*out >= least && *out <= most)
        return true;
    PyErr_Format(PyExc_ValueError, "%s must be from %lld to %lld", name, least, most);
    return false;
}

bool sl_py_id(PyObject *value, uint64_t *id)
{
    *id = PyLong_AsUnsignedLongLong(value);
    return !(*id == UINT64_MAX && PyErr_Occurred());
}

/* An attribute as an integer; where `none` is not NULL, None is told by it. */
static bool integer_of(PyObject *owner, const char *name, long long most, bool *none,
                       long long *out)
{
    PyObject *value = PyObject_GetAttrString(owner, name);
    if (value == NULL)
        return false;
    bool is_none = none != NULL && value == Py_None;
    bool fits = is_none || sl_py_integer(value, name, 0, most, out);
    if (none != NULL)
        *none = is_none;
    Py_DECREF(value);
    return fits;
}

/* The place of a str among `names`. */
static bool named(PyObject *value, const char *what, const char *const *names, int count, int *out)
{
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str", what);
        return false;
    }
    for (*out = 0; *out < count; ++*out)
        if (PyUnicode_CompareWithASCIIString(value, names[*out]) == 0)
            return true;
    PyErr_Format(PyExc_ValueError, "no %s is called %R", what, value);
    return false;
}

static bool kind_from(PyObject *value, uint8_t *kind)
{
    int place;
    if (!named(value, "kind", kind_names, SL_KINDS, &place))
        return false;
    *kind = (uint8_t)place;
    return true;
}

/* An `Extension`, by its number. */
static bool extension_from(PyObject *value, uint8_t *number)
{
    long long out;
    if (!integer_of(value, "number", SL_EXTENSION_NUMBERS - 1, NULL, &out))
        return false;
    *number = (uint8_t)out;
    return true;
}

/* ---- addresses ---- */

bool sl_py_address(PyObject *pair, sl_address *address)
{
    const char *host;
    int port;
    if (!PyTuple_Check(pair)) {
        PyErr_SetString(PyExc_TypeError, "an address is a tuple");
        return false;
    }
    if (!PyArg_ParseTuple(pair, "si;an address is (host, port)", &host, &port))
        return false;
    memset(address, 0, sizeof *address);
    if (port < 0 || port > 65535) {
        PyErr_SetString(PyExc_ValueError, "a port is from 0 to 65535");
        return false;
    }
    if (inet_pton(AF_INET, host, &address->name.v4.sin_addr) == 1) {
        address->name.v4.sin_family = AF_INET;
        address->name.v4.sin_port = htons((uint16_t)port);
        address->size = sizeof address->name.v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &address->name.v6.sin6_addr) == 1) {
        address->name.v6.sin6_family = AF_INET6;
        address->name.v6.sin6_port = htons((uint16_t)port);
        address->size = sizeof address->name.v6;
        return true;
    }
    PyErr_Format(PyExc_ValueError, "%s is no IP address", host);
    return false;
}

PyObject *sl_py_address_pair(const sl_address *address)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool is_v6 = address->name.any.sa_family == AF_INET6;
    const void *raw = is_v6 ? (const void *)&address->name.v6.sin6_addr
                            : (const void *)&address->name.v4.sin_addr;
    uint16_t port = is_v6 ? address->name.v6.sin6_port : address->name.v4.sin_port;
    inet_ntop(is_v6 ? AF_INET6 : AF_INET, raw, host, sizeof host);
    return Py_BuildValue("(si)", host, ntohs(port));
}

/* ---- viewers ---- */

static sl_srtp *srtp_from(PyObject *keys)
{
    sl_srtp *srtp = NULL;
    Py_buffer local_bytes = {0}, remote_bytes = {0};
    int profile;
    PyObject *member = PyObject_GetAttrString(keys, "profile");
    PyObject *name = member ? PyObject_GetAttrString(member, "name") : NULL;
    PyObject *local = name ? PyObject_GetAttrString(keys, "local") : NULL;
    PyObject *remote = local ? PyObject_GetAttrString(keys, "remote") : NULL;
    if (remote != NULL && named(name, "SRTP profile", profile_names, SL_SRTP_PROFILES, &profile) &&
        PyObject_GetBuffer(local, &local_bytes, PyBUF_SIMPLE) == 0 &&
        PyObject_GetBuffer(remote, &remote_bytes, PyBUF_SIMPLE) == 0)
        srtp = sl_py_new_srtp(profile, &local_bytes, &remote_bytes);
    PyBuffer_Release(&local_bytes);
    PyBuffer_Release(&remote_bytes);
    Py_XDECREF(remote);
    Py_XDECREF(local);
    Py_XDECREF(name);
    Py_XDECREF(member);
    return srtp;
}

static bool mid_from(PyObject *value, sl_viewer_track *track)
{
    PyObject *mid = PyObject_GetAttrString(value, "mid");
    Py_ssize_t size = 0;
    const char *text = mid ? PyUnicode_AsUTF8AndSize(mid, &size) : NULL;
    bool fits = text != NULL && size <= SL_VIEWER_MAX_MID;
    if (fits) {
        memcpy(track->mid, text, (size_t)size);
        track->mid_size = (uint8_t)size;
    } else if (text != NULL) {
        PyErr_SetString(PyExc_ValueError, "a MID that is too long");
    }
    Py_XDECREF(mid);
    return fits;
}

/* One (extension, id) pair of a viewer's track. */
static bool agreed_extension(PyObject *pair, sl_viewer_track *track)
{
    PyObject *extension, *id;
    long long number;
    uint8_t at;
    if (!PyTuple_Check(pair)) {
        PyErr_SetString(PyExc_TypeError, "an extension of a track is (extension, id)");
        return false;
    }
    if (!PyArg_ParseTuple(pair, "OO", &extension, &id) || !extension_from(extension, &at) ||
        !sl_py_integer(id, "an extension's id", 1, 255, &number))
        return false;
    if (track->extension_ids[at] != 0) {
        PyErr_SetString(PyExc_ValueError, "an extension twice");
        return false;
    }
    track->extension_ids[at] = (uint8_t)number;
    return true;
}

static bool agreed_extensions(PyObject *value, sl_viewer_track *track)
{
    PyObject *given = PyObject_GetAttrString(value, "extensions");
    PyObject *pairs = given ? PySequence_Fast(given, "extensions must be a sequence") : NULL;
    bool fits = pairs != NULL;
    for (Py_ssize_t at = 0; fits && at < PySequence_Fast_GET_SIZE(pairs); at++)
        fits = agreed_extension(PySequence_Fast_GET_ITEM(pairs, at), track);
    Py_XDECREF(pairs);
    Py_XDECREF(given);
    return fits;
}

static bool track_from(PyObject *value, sl_viewer_track *track)
{
    bool no_rtx_type, no_rtx_ssrc;
    long long payload_type, ssrc, rtx_payload_type = 0, rtx_ssrc = 0;
    memset(track, 0, sizeof *track);
    PyObject *kind = PyObject_GetAttrString(value, "kind");
    bool fits = kind != NULL && kind_from(kind, &track->kind) &&
                integer_of(value, "payload_type", 127, NULL, &payload_type) &&
                integer_of(value, "ssrc", UINT32_MAX, NULL, &ssrc) &&
                integer_of(value, "rtx_payload_type", 127, &no_rtx_type, &rtx_payload_type) &&
                integer_of(value, "rtx_ssrc", UINT32_MAX, &no_rtx_ssrc, &rtx_ssrc) &&
                agreed_extensions(value, track) && mid_from(value, track);
    Py_XDECREF(kind);
    if (!fits)
        return false;
    track->payload_type = (uint8_t)payload_type;
    track->ssrc = (uint32_t)ssrc;
    track->has_rtx = !no_rtx_type && !no_rtx_ssrc;
    track->rtx_payload_type = (uint8_t)rtx_payload_type;
    track->rtx_ssrc = (uint32_t)rtx_ssrc;
    return true;
}

static bool tracks_from(PyObject *value, sl_viewer *viewer)
{
    PyObject *given = PyObject_GetAttrString(value, "tracks");
    PyObject *tracks = given ? PySequence_Fast(given, "tracks must be a sequence") : NULL;
    bool fits = tracks != NULL;
    if (fits && PySequence_Fast_GET_SIZE(tracks) > SL_KINDS) {
        PyErr_SetString(PyExc_ValueError, "a viewer has one track of a kind");
        fits = false;
    }
    for (Py_ssize_t at = 0; fits && at < PySequence_Fast_GET_SIZE(tracks); at++)
        fits = track_from(PySequence_Fast_GET_ITEM(tracks, at),
                          &viewer->tracks[viewer->track_count++]);
    Py_XDECREF(tracks);
    Py_XDECREF(given);
    return fits;
}

bool sl_py_viewer_without_keys(PyObject *value, sl_viewer *viewer)
{
    memset(viewer, 0, sizeof *viewer);
    PyObject *id = PyObject_GetAttrString(value, "viewer_id");
    PyObject *address = id ? PyObject_GetAttrString(value, "address") : NULL;
    bool fits = address != NULL && sl_py_id(id, &viewer->id) &&
                sl_py_address(address, &viewer->address) && tracks_from(value, viewer);
    Py_XDECREF(address);
    Py_XDECREF(id);
    return fits;
}

bool sl_py_viewer(PyObject *value, sl_viewer *viewer)
{
    PyObject *keys = PyObject_GetAttrString(value, "keys");
    bool fits = keys != NULL && sl_py_viewer_without_keys(value, viewer) &&
                (viewer->srtp = srtp_from(keys)) != NULL;
    Py_XDECREF(keys);
    return fits;
}

/* ---- packets ---- */

static bool passed_extension(PyObject *pair, sl_extension *extension)
{
    PyObject *name, *value;
    if (!PyTuple_Check(pair)) {
        PyErr_SetString(PyExc_TypeError, "an extension of a packet is (extension, value)");
        return false;
    }
    if (!PyArg_ParseTuple(pair, "OS", &name, &value) || !extension_from(name, &extension->number))
        return false;
    if (PyBytes_GET_SIZE(value) > UINT8_MAX) {
        PyErr_SetString(PyExc_ValueError, "an extension's value has 255 bytes at most");
        return false;
    }
    extension->value = (const uint8_t *)PyBytes_AS_STRING(value);
    extension->size = (uint8_t)PyBytes_GET_SIZE(value);
    return true;
}

static bool passed_extensions(PyObject *pairs, sl_packet *packet)
{
    Py_ssize_t count = PyTuple_GET_SIZE(pairs);
    if (count > SL_PACKET_MAX_EXTENSIONS) {
        PyErr_Format(PyExc_ValueError, "a packet passes %d extensions on at most",
                     SL_PACKET_MAX_EXTENSIONS);
        return false;
    }
    packet->extension_count = (uint8_t)count;
    for (Py_ssize_t at = 0; at < count; at++)
        if (!passed_extension(PyTuple_GET_ITEM(pairs, at), &packet->extensions[at]))
            return false;
    return true;
}

bool sl_py_packet(PyObject *value, sl_packet *packet)
{
    PyObject *kind, *sequence, *timestamp, *payload, *extensions;
    int marker, keyframe;
    long long number, stamp;
    if (!PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "a batch is of RelayPackets");
        return false;
    }
    if (!PyArg_ParseTuple(value, "OOOppSO!;a batch is of RelayPackets", &kind, &sequence,
                          &timestamp, &marker, &keyframe, &payload, &PyTuple_Type, &extensions) ||
        !kind_from(kind, &packet->kind) ||
        !sl_py_integer(sequence, "sequence", 0, MAX_SEQUENCE, &number) ||
        !sl_py_integer(timestamp, "timestamp", 0, UINT32_MAX, &stamp))
        return false;
    if (PyBytes_GET_SIZE(payload) > UINT16_MAX) {
        PyErr_SetString(PyExc_ValueError, "a payload has 65535 bytes at most");
        return false;
    }
    packet->sequence = number;
    packet->timestamp = (uint32_t)stamp;
    packet->marker = (uint8_t)marker;
    packet->keyframe = (uint8_t)keyframe;
    packet->payload = (const uint8_t *)PyBytes_AS_STRING(payload);
    packet->payload_size = (uint16_t)PyBytes_GET_SIZE(payload);
    return passed_extensions(extensions, packet);
}
