#include "fanout.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "strides.h"
#include "viewers.h"

struct sl_fanout {
    sl_viewers viewers;
    sl_cache caches[SL_KINDS]; /* by kind */
    size_t max_viewers;
    size_t waiting;          /* relaxed atomics: any thread reads them */
    size_t served;
    sl_fanout_counts counts;
    bool batch_has_video;    /* of what is being sent */
};

sl_fanout *sl_fanout_new(const sl_fanout_limits *limits)
{
    sl_fanout *fanout = calloc(1, sizeof *fanout);
    if (fanout == NULL)
        return NULL;
    fanout->max_viewers = limits->max_viewers;
    for (int kind = 0; kind < SL_KINDS; kind++)
        sl_cache_init(&fanout->caches[kind], limits->cache_max_packets, limits->cache_max_bytes,
                      limits->cache_s);
    return fanout;
}

void sl_fanout_free(sl_fanout *fanout)
{
    if (fanout == NULL)
        return;
    sl_viewers_clear(&fanout->viewers);
    for (int kind = 0; kind < SL_KINDS; kind++)
        sl_cache_clear(&fanout->caches[kind]);
    free(fanout);
}

/* ---- what other threads read ---- */

static void count(uint64_t *counter, uint64_t more)
{
    __atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

sl_fanout_counts sl_fanout_counters(const sl_fanout *fanout)
{
    return (sl_fanout_counts){
        __atomic_load_n(&fanout->counts.forwarded, __ATOMIC_RELAXED),
        __atomic_load_n(&fanout->counts.dropped, __ATOMIC_RELAXED),
        __atomic_load_n(&fanout->counts.resent, __ATOMIC_RELAXED),
    };
}

size_t sl_fanout_waiting(const sl_fanout *fanout)
{
    return __atomic_load_n(&fanout->waiting, __ATOMIC_RELAXED);
}

size_t sl_fanout_viewers(const sl_fanout *fanout)
{
    return __atomic_load_n(&fanout->served, __ATOMIC_RELAXED);
}

/* After anything that may begin or end a viewer's wait for a keyframe. */
static void note_waiting(sl_fanout *fanout, sl_egress *egress)
{
    bool is_waiting = sl_egress_is_waiting(egress);
    if (is_waiting == egress->is_counted_waiting)
        return;
    egress->is_counted_waiting = is_waiting;
    __atomic_store_n(&fanout->waiting, fanout->waiting + (is_waiting ? 1 : (size_t)-1),
                     __ATOMIC_RELAXED);
}

/* ---- viewers ---- */

static bool is_sound(const sl_viewer *viewer)
{
    bool seen[SL_KINDS] = {false};
    if (viewer->srtp == NULL || viewer->track_count > SL_KINDS)
        return false;
    for (size_t at = 0; at < viewer->track_count; at++) {
        const sl_viewer_track *track = &viewer->tracks[at];
        if (track->kind >= SL_KINDS || seen[track->kind] ||
            track->mid_size > SL_VIEWER_MAX_MID)
            return false;
        seen[track->kind] = true;
    }
    return true;
}

sl_fanout_result sl_fanout_add_viewer(sl_fanout *fanout, const sl_viewer *viewer)
{
    if (sl_viewers_find(&fanout->viewers, viewer->id) != NULL)
        return SL_FANOUT_TAKEN;
    if (fanout->viewers.count >= fanout->max_viewers)
        return SL_FANOUT_FULL;
    if (!is_sound(viewer))
        return SL_FANOUT_MALFORMED;
    sl_egress *egress = sl_egress_new(viewer, fanout);
    if (egress == NULL)
        return SL_FANOUT_NO_MEMORY;
    if (!sl_viewers_add(&fanout->viewers, egress)) {
        sl_egress_free(egress);
        return SL_FANOUT_NO_MEMORY;
    }
    __atomic_store_n(&fanout->served, fanout->viewers.count, __ATOMIC_RELAXED);
    note_waiting(fanout, egress);
    return SL_FANOUT_OK;
}

bool sl_fanout_remove_viewer(sl_fanout *fanout, uint64_t id)
{
    sl_egress *egress = sl_viewers_take(&fanout->viewers, id);
    if (egress == NULL)
        return false;
    egress->is_paused = true;
    note_waiting(fanout, egress);
    sl_egress_free(egress);
    __atomic_store_n(&fanout->served, fanout->viewers.count, __ATOMIC_RELAXED);
    return true;
}

void sl_fanout_set_address(sl_fanout *fanout, uint64_t id, const sl_address *address)
{
    sl_egress *egress = sl_viewers_find(&fanout->viewers, id);
    if (egress != NULL)
        egress->address = *address;
}

void sl_fanout_pause(sl_fanout *fanout, uint64_t id)
{
    sl_egress *egress = sl_viewers_find(&fanout->viewers, id);
    if (egress != NULL) {
        egress->is_paused = true;
        note_waiting(fanout, egress);
    }
}

void sl_fanout_resume(sl_fanout *fanout, uint64_t id)
{
    sl_egress *egress = sl_viewers_find(&fanout->viewers, id);
    if (egress != NULL) {
        sl_egress_resume(egress);
        note_waiting(fanout, egress);
    }
}

bool sl_fanout_sent(const sl_fanout *fanout, uint64_t id, sl_sent_track tracks[SL_KINDS])
{
    const sl_egress *egress = sl_viewers_find(&fanout->viewers, id);
    if (egress == NULL)
        return false;
    for (int kind = 0; kind < SL_KINDS; kind++)
        tracks[kind] = egress->lanes[kind].sent;
    return true;
}

/* ---- sending ---- */

static void on_forwarded(void *receiver, size_t taken, size_t queued)
{
    sl_egress *egress = receiver;
    sl_fanout *fanout = egress->fanout;
    count(&fanout->counts.forwarded, taken);
    if (taken == queued)
        return;
    count(&fanout->counts.dropped, queued - taken);
    if (fanout->batch_has_video)
        sl_egress_lost_video(egress);
    note_waiting(fanout, egress);
}

/* Asks for what the next viewers need, one step after the other since each step is found through the
 * one before: their own data, their SRTP contexts, the keys in those. It takes some 8 % off where
 * many viewers do not fit into the second level cache. */
static void prefetch(const sl_viewers *viewers, size_t at)
{
    if (at + 3 < viewers->count)
        sl_egress_prefetch(viewers->order[at + 3]);
    if (at + 2 < viewers->count)
        sl_srtp_prefetch(viewers->order[at + 2]->output.srtp);
    if (at + 1 < viewers->count)
        sl_srtp_prefetch_keys(viewers->order[at + 1]->output.srtp);
}

static void send_strides(sl_fanout *fanout, sl_datagrams *datagrams, const sl_strides *batch,
                         double now)
{
    const sl_viewers *viewers = &fanout->viewers;
    fanout->batch_has_video = sl_strides_have_video(batch);
    for (size_t at = 0; at < viewers->count; at++) {
        sl_egress *egress = viewers->order[at];
        prefetch(viewers, at);
        sl_datagrams_reserve(datagrams, batch->bytes, batch->packet_count);
        sl_datagrams_begin(datagrams, &egress->address, egress, on_forwarded);
        size_t left_out = sl_egress_send(egress, datagrams, batch->runs, batch->run_count, now);
        count(&fanout->counts.dropped, left_out);
        note_waiting(fanout, egress);
    }
    sl_datagrams_flush(datagrams);
}

void sl_fanout_send(sl_fanout *fanout, sl_datagrams *datagrams, const sl_packet *batch,
                    size_t batch_size, double now)
{
    sl_strides stride;
    while (batch_size > 0) {
        size_t taken = sl_strides_take(&stride, fanout->caches, batch, batch_size, now);
        if (stride.packet_count > 0)
            send_strides(fanout, datagrams, &stride, now);
        batch += taken;
        batch_size -= taken;
    }
}

static void on_resent(void *receiver, size_t taken, size_t queued)
{
    sl_egress *egress = receiver;
    sl_fanout *fanout = egress->fanout;
    (void)queued;
    count(&fanout->counts.resent, taken);
}

/* The lane with this SSRC, which the viewer's NACK names. */
static sl_lane *lane_of(sl_egress *egress, uint32_t ssrc)
{
    for (int kind = 0; kind < SL_KINDS; kind++)
        if (egress->lanes[kind].is_there && egress->lanes[kind].stream.ssrc == ssrc)
            return &egress->lanes[kind];
    return NULL;
}

static void begin_resend(sl_datagrams *datagrams, sl_egress *egress)
{
    sl_datagrams_reserve(datagrams, SL_DATAGRAMS_MAX_BYTES, SL_FANOUT_MAX_BATCH);
    sl_datagrams_begin(datagrams, &egress->address, egress, on_resent);
}

/* Sends up to SL_FANOUT_MAX_BATCH packets again. */
static void resend_some(const sl_cache *cache, sl_datagrams *datagrams, sl_egress *egress,
                        sl_lane *lane, const uint16_t *sequences, size_t wanted, double now)
{
    sl_packet packet;
    size_t bytes = 0;
    begin_resend(datagrams, egress);
    for (const uint16_t *sequence = sequences; sequence < sequences + wanted; sequence++) {
        if (!sl_lane_find(lane, cache, *sequence, &packet))
            continue;
        bytes += sl_packet_room(&packet);
        if (bytes > SL_DATAGRAMS_MAX_BYTES) {
            sl_datagrams_flush(datagrams);
            begin_resend(datagrams, egress);
            bytes = sl_packet_room(&packet);
        }
        sl_lane_send_again(lane, &egress->output, datagrams, *sequence, &packet, now);
    }
    sl_datagrams_flush(datagrams);
}

void sl_fanout_resend(sl_fanout *fanout, sl_datagrams *datagrams, uint64_t id, uint32_t ssrc,
                      const uint16_t *sequences, size_t wanted, double now)
{
    sl_egress *egress = sl_viewers_find(&fanout->viewers, id);
    sl_lane *lane = egress ? lane_of(egress, ssrc) : NULL;
    if (lane == NULL)
        return;
    const sl_cache *cache = &fanout->caches[lane - egress->lanes];
    while (wanted > 0) {
        size_t some = wanted < SL_FANOUT_MAX_BATCH ? wanted : SL_FANOUT_MAX_BATCH;
        resend_some(cache, datagrams, egress, lane, sequences, some, now);
        sequences += some;
        wanted -= some;
    }
}
