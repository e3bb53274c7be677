/* What goes into an ingest and comes out of it as Python has it: plain tuples, to which
 * media/native_plane.py gives their names. Each function raises and says so, by NULL or -1. */
#ifndef SL_PY_TRACK_H
#define SL_PY_TRACK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "ingest.h"

/* (kind, codec, payload type, SSRC or None, RTX payload type or None, clock rate,
 * ((extension's id, its number), ...)) for each track; how many, SL_KINDS at most, or -1. */
Py_ssize_t sl_py_track_specs(PyObject *sequence, sl_track_spec *specs);

/* The number of a kind of track, or -1. */
int sl_py_kind(PyObject *number);

/* (kind, sequence, timestamp, marker, keyframe, payload, ((number, value), ...)) */
PyObject *sl_py_from_packet(const sl_packet *packet);

/* The fields of media.wire.rtcp.ReportBlock, for each block. */
PyObject *sl_py_from_reports(const sl_report_block *blocks, size_t count);

/* (media SSRC, (sequence, ...)) with 16-bit numbers, or None for none. */
PyObject *sl_py_from_missing(uint32_t media_ssrc, const int64_t *sequences, size_t count);

/* What is read of an ingest, as its media.plane.StreamPlane has it. Who shares the ingest with
 * another thread holds its lock, and makes no object meanwhile. */
typedef struct {
    bool has_ssrc, has_clock;
    uint32_t ssrc;
    sl_sender_clock clock;
} sl_track_facts;

sl_track_facts sl_track_facts_of(sl_ingest *ingest, uint8_t kind);
PyObject *sl_py_media_ssrc(const sl_track_facts *facts); /* or None */
PyObject *sl_py_clock(const sl_track_facts *facts);      /* the fields of SenderClock, or None */

typedef struct {
    uint8_t kind;
    char codec_name[SL_CODEC_NAME_SIZE];
    int64_t bitrate_bps, lost;
    uint64_t packets;
} sl_track_stats;

size_t sl_track_stats_of(sl_ingest *ingest, double now, sl_track_stats *stats); /* of SL_KINDS */
PyObject *sl_py_from_stats(const sl_track_stats *stats, size_t count); /* fields of TrackStats */

#endif
