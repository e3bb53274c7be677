#include "stream.h"

#include <math.h>
#include <stdlib.h>

/* The event loop's clock stands still during a turn: what is due is told when it is sure to be. */
static const double CLOCK_GRAIN_S = 0.002;

sl_stream *sl_stream_new(uint64_t number, const sl_fanout_limits *limits, double max_bitrate_bps)
{
    sl_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->references = 1;
    stream->number = number;
    stream->missing_due = INFINITY;
    sl_ingest_init(&stream->ingest, max_bitrate_bps);
    stream->fanout = sl_fanout_new(limits);
    if (stream->fanout && pthread_mutex_init(&stream->lock, NULL) == 0)
        return stream;
    sl_fanout_free(stream->fanout);
    free(stream);
    return NULL;
}

sl_stream *sl_stream_retain(sl_stream *stream)
{
    __atomic_fetch_add(&stream->references, 1, __ATOMIC_RELAXED);
    return stream;
}

void sl_stream_release(sl_stream *stream)
{
    if (stream == NULL || __atomic_sub_fetch(&stream->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    sl_fanout_free(stream->fanout);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

void sl_stream_set_publisher(
    sl_stream *stream, uint64_t peer, const sl_track_spec *specs, size_t count, double now
)
{
    pthread_mutex_lock(&stream->lock);
    sl_ingest_set_publisher(&stream->ingest, specs, count, now);
    stream->has_publisher = true;
    stream->publisher = peer;
    pthread_mutex_unlock(&stream->lock);
}

void sl_stream_publisher_gone(sl_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    sl_ingest_publisher_gone(&stream->ingest);
    stream->has_publisher = false;
    pthread_mutex_unlock(&stream->lock);
}

sl_fanout_counts sl_stream_counters(sl_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    sl_fanout_counts counts =
        stream->fanout ? sl_fanout_counters(stream->fanout) : stream->counts;
    pthread_mutex_unlock(&stream->lock);
    return counts;
}

size_t sl_stream_waiting(sl_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    size_t waiting = stream->fanout ? sl_fanout_waiting(stream->fanout) : 0;
    pthread_mutex_unlock(&stream->lock);
    return waiting;
}

size_t sl_stream_receive(
    sl_stream *stream, uint64_t peer, const sl_plain *packets, size_t count, double now,
    sl_packet *out, bool *is_publisher
)
{
    size_t relayed = 0;
    pthread_mutex_lock(&stream->lock);
    *is_publisher = stream->has_publisher && stream->publisher == peer && stream->fanout;
    if (*is_publisher) {
        relayed = sl_ingest_receive(&stream->ingest, packets, count, now, out);
        double due = sl_ingest_missing_due(&stream->ingest);
        stream->missing_due = stream->missing_told ? INFINITY : due + CLOCK_GRAIN_S;
        stream->sources = sl_ingest_sources(&stream->ingest);
    }
    pthread_mutex_unlock(&stream->lock);
    return relayed;
}

static bool is_missing_due(sl_stream *stream, double now)
{
    if (stream->missing_due > now)
        return false;
    pthread_mutex_lock(&stream->lock);
    stream->missing_told = true;
    pthread_mutex_unlock(&stream->lock);
    stream->missing_due = INFINITY;
    return true;
}

bool sl_stream_needs_attention(sl_stream *stream, double now)
{
    if (stream->fanout == NULL)
        return false;
    bool is_missing = is_missing_due(stream, now);
    bool is_waiting = sl_fanout_waiting(stream->fanout) > 0;
    bool begins_to_wait = is_waiting && !stream->waiting_told;
    stream->waiting_told = is_waiting;
    bool is_new_source = stream->sources != stream->sources_told;
    stream->sources_told = stream->sources;
    return is_missing || begins_to_wait || is_new_source;
}

void sl_stream_untold(sl_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->missing_told = false;
    pthread_mutex_unlock(&stream->lock);
    stream->waiting_told = false;
    stream->sources_told = 0;
}

void sl_stream_refuse_rtcp(sl_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->rtcp_refused++;
    pthread_mutex_unlock(&stream->lock);
}

void sl_stream_close(sl_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    sl_fanout *fanout = stream->fanout;
    if (fanout)
        stream->counts = sl_fanout_counters(fanout);
    stream->fanout = NULL;
    pthread_mutex_unlock(&stream->lock);
    sl_fanout_free(fanout);
}
