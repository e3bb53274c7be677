/* One stream in the plane: the publisher's packets on their way to its viewers.
 *
 * The event loop and the plane's thread each hold references. `lock` guards what both touch; it is
 * held for the work on a batch of packets at most, never while something is sent. */
#ifndef SL_STREAM_H
#define SL_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fanout.h"
#include "ingest.h"

typedef struct sl_stream {
    uint32_t references;
    uint64_t number; /* the worker's name for it */

    pthread_mutex_t lock;
    sl_ingest ingest;      /* locked */
    bool has_publisher;    /* locked */
    uint64_t publisher;    /* locked: the peer whose packets are taken */
    bool missing_told;     /* locked: the event loop knows that packets are to be asked for */
    uint64_t rtcp_refused; /* locked: malformed compound packets of viewers and publisher */
    sl_fanout *fanout;     /* set to NULL by the thread, locked; NULL: the stream is over */
    sl_fanout_counts counts; /* locked: those of a fan-out that is over */

    double missing_due; /* the thread's: when to tell of missing packets */
    bool waiting_told;  /* the thread's: the event loop knows that a keyframe is waited for */
    uint64_t sources, sources_told; /* the thread's: that the publisher had, and of which it told */
    struct sl_stream *next, *previous; /* the thread's: all streams */
} sl_stream;

/* With one reference. NULL: no memory. */
sl_stream *sl_stream_new(uint64_t number, const sl_fanout_limits *limits, double max_bitrate_bps);
sl_stream *sl_stream_retain(sl_stream *stream);
void sl_stream_release(sl_stream *stream); /* NULL is nothing to release */

/* The event loop's. */
void sl_stream_set_publisher(
    sl_stream *stream, uint64_t peer, const sl_track_spec *specs, size_t count, double now
);
void sl_stream_publisher_gone(sl_stream *stream);
sl_fanout_counts sl_stream_counters(sl_stream *stream);
size_t sl_stream_waiting(sl_stream *stream);

/* The thread's: what to relay of decrypted packets of `peer`, as sl_ingest_receive; none if it is
 * not the publisher, which `*is_publisher` says. */
size_t sl_stream_receive(
    sl_stream *stream, uint64_t peer, const sl_plain *packets, size_t count, double now,
    sl_packet *out, bool *is_publisher
);

/* The thread's: whether the event loop has to hear of the stream now. It is told once of each
 * reason; `sl_stream_untold` takes that back. */
bool sl_stream_needs_attention(sl_stream *stream, double now);
void sl_stream_untold(sl_stream *stream);

/* The thread's: a compound packet of the stream was malformed. */
void sl_stream_refuse_rtcp(sl_stream *stream);

/* The thread's: the stream is over, its viewers are freed. */
void sl_stream_close(sl_stream *stream);

#endif
