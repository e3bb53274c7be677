#include "py_track.h"

#include <string.h>

/* None: not there. */
static bool optional_number(PyObject *value, unsigned long most, bool *is_there, unsigned long *out)
{
    *is_there = value != Py_None;
    *out = *is_there ? PyLong_AsUnsignedLong(value) : 0;
    if (PyErr_Occurred())
        return false;
    if (*out > most)
        PyErr_SetString(PyExc_ValueError, "a number of a track is too large");
    return *out <= most;
}

static bool read_extensions(PyObject *pairs, sl_track_spec *spec)
{
    memset(spec->extensions, SL_NOT_PASSED, sizeof spec->extensions);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(pairs); i++) {
        unsigned id, number;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(pairs, i), "II", &id, &number))
            return false;
        if (id >= SL_EXTENSION_IDS || number >= SL_EXTENSION_NUMBERS) {
            PyErr_SetString(PyExc_ValueError, "no header extension has such a number");
            return false;
        }
        spec->extensions[id] = (uint8_t)number;
    }
    return true;
}

static bool read_spec(PyObject *tuple, sl_track_spec *spec)
{
    unsigned kind, payload_type;
    const char *codec;
    PyObject *ssrc, *rtx_payload_type, *extensions;
    unsigned long ssrc_number, rtx_number;
    memset(spec, 0, sizeof *spec);
    if (!PyArg_ParseTuple(
            tuple, "IsIOOIO!", &kind, &codec, &payload_type, &ssrc, &rtx_payload_type,
            &spec->clock_rate, &PyTuple_Type, &extensions
        ))
        return false;
    if (kind >= SL_KINDS || payload_type >= SL_PAYLOAD_TYPES ||
        strlen(codec) >= sizeof spec->codec_name) {
        PyErr_SetString(PyExc_ValueError, "no track is like that");
        return false;
    }
    if (!optional_number(ssrc, UINT32_MAX, &spec->has_ssrc, &ssrc_number) ||
        !optional_number(rtx_payload_type, SL_PAYLOAD_TYPES - 1, &spec->has_rtx, &rtx_number))
        return false;
    spec->kind = (uint8_t)kind;
    strcpy(spec->codec_name, codec);
    spec->codec = sl_codec_named(codec);
    spec->payload_type = (uint8_t)payload_type;
    spec->ssrc = (uint32_t)ssrc_number;
    spec->rtx_payload_type = (uint8_t)rtx_number;
    return read_extensions(extensions, spec);
}

Py_ssize_t sl_py_track_specs(PyObject *sequence, sl_track_spec *specs)
{
    if (!PyTuple_Check(sequence) || PyTuple_GET_SIZE(sequence) > SL_KINDS) {
        PyErr_SetString(PyExc_ValueError, "a publisher has a tuple of one track of a kind");
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(sequence);
    for (Py_ssize_t i = 0; i < count; i++)
        if (!read_spec(PyTuple_GET_ITEM(sequence, i), &specs[i]))
            return -1;
    return count;
}

int sl_py_kind(PyObject *number)
{
    unsigned long kind = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred())
        return -1;
    if (kind >= SL_KINDS) {
        PyErr_SetString(PyExc_ValueError, "no such kind");
        return -1;
    }
    return (int)kind;
}

static PyObject *from_extensions(const sl_packet *packet)
{
    PyObject *tuple = PyTuple_New(packet->extension_count);
    for (Py_ssize_t i = 0; tuple && i < packet->extension_count; i++) {
        const sl_extension *extension = &packet->extensions[i];
        PyObject *pair = Py_BuildValue(
            "(By#)", extension->number, (const char *)extension->value, (Py_ssize_t)extension->size
        );
        if (pair == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, pair);
    }
    return tuple;
}

PyObject *sl_py_from_packet(const sl_packet *packet)
{
    PyObject *extensions = from_extensions(packet);
    if (extensions == NULL)
        return NULL;
    return Py_BuildValue(
        "(BLINNy#N)", packet->kind, (long long)packet->sequence, packet->timestamp,
        PyBool_FromLong(packet->marker), PyBool_FromLong(packet->keyframe),
        (const char *)packet->payload, (Py_ssize_t)packet->payload_size, extensions
    );
}

PyObject *sl_py_from_reports(const sl_report_block *blocks, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        const sl_report_block *b = &blocks[i];
        PyObject *block = Py_BuildValue(
            "(IBLIIIL)", b->ssrc, b->fraction_lost, (long long)b->lost, b->highest_sequence,
            b->jitter, b->last_sr, (long long)b->delay
        );
        if (block == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, block);
    }
    return tuple;
}

PyObject *sl_py_from_missing(uint32_t media_ssrc, const int64_t *sequences, size_t count)
{
    if (count == 0)
        Py_RETURN_NONE;
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        PyObject *sequence = PyLong_FromLong((long)(sequences[i] & 0xFFFF));
        if (sequence == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, sequence);
    }
    return tuple ? Py_BuildValue("(IN)", media_ssrc, tuple) : NULL;
}

sl_track_facts sl_track_facts_of(sl_ingest *ingest, uint8_t kind)
{
    sl_track_facts facts = {0};
    sl_track *track = sl_ingest_track(ingest, kind);
    if (track == NULL)
        return facts;
    facts.has_ssrc = sl_track_media_ssrc(track, &facts.ssrc);
    facts.has_clock = track->has_source && track->source.has_clock;
    if (facts.has_clock)
        facts.clock = track->source.clock;
    return facts;
}

PyObject *sl_py_media_ssrc(const sl_track_facts *facts)
{
    if (!facts->has_ssrc)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLong(facts->ssrc);
}

PyObject *sl_py_clock(const sl_track_facts *facts)
{
    if (!facts->has_clock)
        Py_RETURN_NONE;
    const sl_sender_clock *clock = &facts->clock;
    return Py_BuildValue(
        "(KIdI)", (unsigned long long)clock->ntp, clock->timestamp, clock->received_at,
        clock->clock_rate
    );
}

size_t sl_track_stats_of(sl_ingest *ingest, double now, sl_track_stats *stats)
{
    for (size_t i = 0; i < ingest->present_count; i++) {
        sl_track *track = ingest->present[i];
        stats[i] = (sl_track_stats){
            .kind = track->spec.kind,
            .bitrate_bps = sl_rate_bitrate_bps(&track->rate, now),
            .packets = track->packets,
            .lost = sl_track_lost(track),
        };
        memcpy(stats[i].codec_name, track->spec.codec_name, sizeof stats[i].codec_name);
    }
    return ingest->present_count;
}

PyObject *sl_py_from_stats(const sl_track_stats *stats, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        PyObject *each = Py_BuildValue(
            "(BsLKL)", stats[i].kind, stats[i].codec_name, (long long)stats[i].bitrate_bps,
            (unsigned long long)stats[i].packets, (long long)stats[i].lost
        );
        if (each == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, each);
    }
    return tuple;
}
