#include "lane.h"

#include <string.h>

#include "rtp.h"

/* Numbering begins where the SSRC, which is random, puts it: the timestamps anywhere, the sequence
 * in the lower half, so that the receiver can't be mistaken about the rollover counter when the
 * first packets are lost (RFC 3711 §3.3.1). */
static uint16_t first_number(uint32_t ssrc)
{
    return ssrc & 0x7FFF;
}

static bool has_any(const uint8_t *ids)
{
    for (int number = 0; number < SL_EXTENSION_NUMBERS; number++)
        if (ids[number] != 0)
            return true;
    return false;
}

void sl_lane_init(sl_lane *lane, const sl_viewer_track *track, sl_seqmap_span *past)
{
    *lane = (sl_lane){
        .is_there = true,
        .waiting = true,
        .has_rtx = track->has_rtx,
        .stream = {track->ssrc, track->payload_type},
        .rtx = {track->rtx_ssrc, track->rtx_payload_type},
        .rtx_index = first_number(track->rtx_ssrc),
        .format = {
            .timestamp_offset = track->ssrc,
            .has_extensions = has_any(track->extension_ids),
            .mid_size = track->mid_size,
        },
    };
    memcpy(lane->format.extension_ids, track->extension_ids, sizeof track->extension_ids);
    memcpy(lane->format.mid, track->mid, sizeof track->mid);
    /* GCM must never see an index twice with other bytes, and a stamp makes them other ones. */
    lane->repeats = !sl_packet_is_stamped(&lane->format);
    sl_seqmap_init(&lane->sequences, first_number(track->ssrc), past);
}

/* Where in `run` a receiver can begin; `count` where nowhere. */
static size_t begin(sl_lane *lane, const sl_packet *const *run, size_t count)
{
    size_t at = 0;
    while (at < count && !run[at]->keyframe)
        at++;
    if (at < count) {
        lane->waiting = false;
        sl_seqmap_skip_to(&lane->sequences, run[at]->sequence);
    }
    return at;
}

size_t sl_lane_send(sl_lane *lane, sl_lane_output *output, sl_datagrams *datagrams,
                    const sl_packet *const *run, size_t count, double now)
{
    size_t left_out = lane->waiting ? begin(lane, run, count) : 0;
    bool had_begun = lane->sent.packets > 0;
    for (size_t at = left_out; at < count; at++) {
        const sl_packet *packet = run[at];
        int64_t index = sl_seqmap_map(&lane->sequences, packet->sequence);
        if (index < 0)
            continue;
        int size = sl_packet_write(&lane->format, &lane->stream, output->srtp, &output->transport,
                                   packet, NULL, index, now, sl_datagrams_next(datagrams));
        if (size > 0)
            sl_datagrams_add(datagrams, (size_t)size);
        lane->sent.packets++;
        lane->sent.octets += packet->payload_size;
    }
    return had_begun ? left_out : 0;
}

bool sl_lane_find(const sl_lane *lane, const sl_cache *cache, uint16_t sequence, sl_packet *packet)
{
    int64_t index = sl_rtp_extend(sequence, sl_seqmap_next_outgoing(&lane->sequences));
    int64_t source = sl_seqmap_source(&lane->sequences, index);
    return source >= 0 && (lane->has_rtx || lane->repeats) &&
           sl_cache_get(cache, source, packet);
}

void sl_lane_send_again(sl_lane *lane, sl_lane_output *output, sl_datagrams *datagrams,
                        uint16_t sequence, const sl_packet *packet, double now)
{
    const sl_packet_stream *stream = &lane->stream;
    int64_t index = sl_rtp_extend(sequence, sl_seqmap_next_outgoing(&lane->sequences));
    uint8_t original[SL_RTX_HEADER_SIZE], *repeated = NULL;
    if (lane->has_rtx) {
        stream = &lane->rtx;
        index = lane->rtx_index++;
        sl_write16(original, sequence);
        repeated = original;
    }
    int size = sl_packet_write(&lane->format, stream, output->srtp, &output->transport, packet,
                               repeated, index, now, sl_datagrams_next(datagrams));
    if (size > 0)
        sl_datagrams_add(datagrams, (size_t)size);
}
