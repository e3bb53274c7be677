#include "egress.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

sl_egress *sl_egress_new(const sl_viewer *viewer, void *fanout)
{
    size_t size = (sizeof(sl_egress) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    sl_egress *egress = aligned_alloc(CACHE_LINE, size);
    if (egress == NULL)
        return NULL;
    memset(egress, 0, size);
    egress->id = viewer->id;
    egress->fanout = fanout;
    egress->address = viewer->address;
    egress->output.srtp = sl_srtp_retain(viewer->srtp);
    egress->sent = viewer->sent ? sl_sent_retain(viewer->sent) : NULL;
    for (size_t at = 0; at < viewer->track_count; at++) {
        const sl_viewer_track *track = &viewer->tracks[at];
        sl_lane_init(&egress->lanes[track->kind], track, egress->past[track->kind]);
    }
    return egress;
}

void sl_egress_free(sl_egress *egress)
{
    sl_srtp_release(egress->output.srtp);
    sl_sent_release(egress->sent);
    free(egress);
}

void sl_egress_prefetch(const sl_egress *egress)
{
    const char *at = (const char *)egress;
    for (size_t offset = 0; offset < offsetof(sl_egress, past); offset += CACHE_LINE)
        __builtin_prefetch(at + offset, 1);
}

bool sl_egress_is_waiting(const sl_egress *egress)
{
    const sl_lane *video = &egress->lanes[SL_VIDEO];
    return video->is_there && video->waiting && !egress->is_paused;
}

void sl_egress_resume(sl_egress *egress)
{
    egress->is_paused = false;
    for (int kind = 0; kind < SL_KINDS; kind++)
        egress->lanes[kind].waiting = true;
}

/* Tells who reads `sent` what went out since `before`. */
static void publish(sl_egress *egress, uint8_t kind, sl_sent_track before)
{
    const sl_sent_track *now = &egress->lanes[kind].sent;
    if (egress->sent != NULL)
        sl_sent_count(egress->sent, kind, now->packets - before.packets,
                      now->octets - before.octets);
}

size_t sl_egress_send(sl_egress *egress, sl_datagrams *datagrams, const sl_run *runs, size_t count,
                      double now)
{
    size_t left_out = 0;
    if (egress->is_paused)
        return 0;
    for (const sl_run *run = runs; run < runs + count; run++) {
        sl_lane *lane = &egress->lanes[run->kind];
        if (!lane->is_there)
            continue;
        sl_sent_track before = lane->sent;
        left_out += sl_lane_send(lane, &egress->output, datagrams, run->packets, run->count, now);
        publish(egress, run->kind, before);
    }
    return left_out;
}

void sl_egress_lost_video(sl_egress *egress)
{
    egress->lanes[SL_VIDEO].waiting = true;
}
