#include "track.h"

#include <math.h>
#include <string.h>

static void leave_source(sl_track *track)
{
    if (track->has_source) {
        int64_t lost = sl_reception_lost(&track->source.reception);
        track->lost_before += lost > 0 ? lost : 0;
    }
    track->has_source = false;
    track->stranger.is_there = false;
}

void sl_track_init(sl_track *track, const sl_track_spec *spec, double now)
{
    memset(track, 0, sizeof *track);
    track->spec = *spec;
    track->is_published = true;
    sl_rate_init(&track->rate, now);
}

void sl_track_begin(sl_track *track, const sl_track_spec *spec)
{
    track->spec = *spec;
    track->is_published = true;
    leave_source(track);
}

void sl_track_end(sl_track *track)
{
    track->is_published = false;
    leave_source(track);
}

bool sl_track_media_ssrc(const sl_track *track, uint32_t *ssrc)
{
    if (!track->is_published)
        return false;
    *ssrc = track->has_source ? track->source.ssrc : track->spec.ssrc;
    return track->has_source || track->spec.has_ssrc;
}

static uint32_t joining_offset(const sl_track *track, const sl_rtp_header *header, double now)
{
    if (!track->has_newest)
        return 0;
    double elapsed = fmax(1, rint((now - track->newest_at) * track->spec.clock_rate));
    return track->newest_timestamp + (uint32_t)(int64_t)elapsed - header->timestamp;
}

static void take_source(sl_track *track, const sl_rtp_header *header, double now)
{
    uint32_t offset = joining_offset(track, header, now);
    sl_source_init(&track->source, header, track->spec.clock_rate, track->next, offset);
    track->has_source = true;
    track->sources++;
}

static void append(
    sl_track *track, const sl_incoming *packet, const uint8_t *payload, size_t size, int64_t number,
    double now, sl_relayed *out
)
{
    uint32_t timestamp = packet->header.timestamp + track->source.timestamp_offset;
    if (number >= track->next) {
        track->next = number + 1;
        track->has_newest = true;
        track->newest_timestamp = timestamp;
        track->newest_at = now;
    }
    sl_packet *relayed = &out->packets[out->count++];
    *relayed = (sl_packet){
        .sequence = number,
        .timestamp = timestamp,
        .kind = track->spec.kind,
        .marker = packet->header.marker,
        .keyframe = sl_starts_keyframe(track->spec.codec, payload, size),
        .extension_count = packet->extension_count,
        .payload_size = (uint16_t)size,
        .payload = payload,
    };
    memcpy(
        relayed->extensions, packet->extensions,
        packet->extension_count * sizeof *packet->extensions
    );
}

static void relay(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out)
{
    const uint8_t *payload = packet->bytes + packet->header.payload_start;
    size_t size = packet->header.payload_end - packet->header.payload_start;
    bool is_probe = size == 0; /* padding alone */
    int64_t number;
    bool is_new = sl_source_receive(&track->source, &packet->header, now, is_probe, &number);
    track->packets++;
    sl_rate_add(&track->rate, packet->size, now);
    if (is_new)
        append(track, packet, payload, size, number, now, out);
}

static bool follows(const sl_rtp_header *header, const sl_rtp_header *before)
{
    return header->ssrc == before->ssrc && header->sequence == (uint16_t)(before->sequence + 1);
}

static void note_stranger(sl_stranger *stranger, const sl_incoming *packet)
{
    stranger->is_there = true;
    stranger->is_kept = false;
    stranger->packet = *packet;
}

static void probe(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out)
{
    sl_stranger *stranger = &track->stranger;
    if (!stranger->is_there || !follows(&packet->header, &stranger->packet.header)) {
        note_stranger(stranger, packet);
        return;
    }
    leave_source(track);
    take_source(track, &stranger->packet.header, now);
    relay(track, &stranger->packet, now, out);
    relay(track, packet, now, out);
}

void sl_track_receive(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out)
{
    if (track->has_source && sl_source_fits(&track->source, &packet->header)) {
        track->stranger.is_there = false;
        relay(track, packet, now, out);
        return;
    }
    bool is_expected = !track->spec.has_ssrc || track->spec.ssrc == packet->header.ssrc;
    if (!track->has_source && is_expected) {
        take_source(track, &packet->header, now);
        relay(track, packet, now, out);
        return;
    }
    probe(track, packet, now, out);
}

void sl_track_recover(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out)
{
    const uint8_t *payload = packet->bytes + packet->header.payload_start;
    size_t size = packet->header.payload_end - packet->header.payload_start;
    if (!track->has_source || size < SL_RTX_HEADER_SIZE) /* padding alone probes for bandwidth */
        return;
    int64_t number;
    if (sl_source_recover(&track->source, sl_read16(payload), now, &number))
        append(
            track, packet, payload + SL_RTX_HEADER_SIZE, size - SL_RTX_HEADER_SIZE, number, now, out
        );
}

void sl_track_leave_out(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out)
{
    if (!track->has_source || !sl_source_fits(&track->source, &packet->header))
        return;
    sl_incoming bare = *packet; /* its extensions were not negotiated for this payload type */
    bare.extension_count = 0;
    int64_t number;
    if (sl_source_receive(&track->source, &packet->header, now, true, &number))
        append(track, &bare, packet->bytes, 0, number, now, out);
}

void sl_track_end_batch(sl_track *track)
{
    sl_stranger *stranger = &track->stranger;
    if (!stranger->is_there || stranger->is_kept)
        return;
    stranger->turn ^= 1;
    uint8_t *kept = stranger->buffers[stranger->turn];
    sl_incoming *packet = &stranger->packet;
    memcpy(kept, packet->bytes, packet->size);
    for (size_t i = 0; i < packet->extension_count; i++)
        packet->extensions[i].value = kept + (packet->extensions[i].value - packet->bytes);
    packet->bytes = kept;
    stranger->is_kept = true;
}

void sl_track_on_sender_report(
    sl_track *track, uint32_t ssrc, uint64_t ntp, uint32_t rtp_timestamp, double now
)
{
    if (track->has_source && ssrc == track->source.ssrc && ntp)
        sl_source_on_sender_report(&track->source, ntp, rtp_timestamp, now);
}

void sl_track_on_bye(sl_track *track, uint32_t ssrc)
{
    if (track->has_source && ssrc == track->source.ssrc)
        leave_source(track);
}

int64_t sl_track_lost(const sl_track *track)
{
    int64_t lost = track->has_source ? sl_reception_lost(&track->source.reception) : 0;
    return track->lost_before + (lost > 0 ? lost : 0);
}
