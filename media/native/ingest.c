#include "ingest.h"

#include <math.h>
#include <string.h>

void sl_ingest_init(sl_ingest *ingest, double max_bitrate_bps)
{
    memset(ingest, 0, sizeof *ingest);
    ingest->bytes = sl_budget_full(max_bitrate_bps / 8, 0);
}

sl_track *sl_ingest_track(sl_ingest *ingest, uint8_t kind)
{
    for (size_t i = 0; i < ingest->present_count; i++)
        if (ingest->present[i] == &ingest->tracks[kind])
            return ingest->present[i];
    return NULL;
}

static sl_track *begin_track(sl_ingest *ingest, const sl_track_spec *spec, double now)
{
    sl_track *track = sl_ingest_track(ingest, spec->kind);
    if (track != NULL) {
        sl_track_begin(track, spec);
        return track;
    }
    track = &ingest->tracks[spec->kind];
    sl_track_init(track, spec, now);
    ingest->present[ingest->present_count++] = track;
    return track;
}

void sl_ingest_set_publisher(
    sl_ingest *ingest, const sl_track_spec *specs, size_t count, double now
)
{
    sl_ingest_publisher_gone(ingest);
    ingest->bytes = sl_budget_full(ingest->bytes.per_s, now);
    for (size_t i = 0; i < count; i++) {
        sl_track *track = begin_track(ingest, &specs[i], now);
        ingest->receivers[specs[i].payload_type] = (sl_receiver){track, false};
        if (specs[i].has_rtx)
            ingest->receivers[specs[i].rtx_payload_type] = (sl_receiver){track, true};
    }
}

void sl_ingest_publisher_gone(sl_ingest *ingest)
{
    memset(ingest->receivers, 0, sizeof ingest->receivers);
    for (size_t i = 0; i < ingest->present_count; i++)
        sl_track_end(ingest->present[i]);
}

/* The track that a packet with a payload type of nobody's belongs to by its SSRC. */
static sl_track *track_of_foreign(sl_ingest *ingest, uint32_t ssrc)
{
    for (size_t i = 0; i < ingest->present_count; i++) {
        sl_track *track = ingest->present[i];
        if (track->has_source && track->source.ssrc == ssrc)
            return track;
    }
    return NULL;
}

/* Keeps those extensions that pass through; false where the block is malformed. */
static bool read_extensions(const sl_track_spec *spec, sl_incoming *packet)
{
    sl_rtp_elements elements = sl_rtp_elements_of(packet->bytes, &packet->header);
    sl_rtp_element element;
    int found;
    packet->extension_count = 0;
    while ((found = sl_rtp_next_element(&elements, &element)) > 0) {
        uint8_t number = spec->extensions[element.id];
        if (number == SL_NOT_PASSED || packet->extension_count == SL_PACKET_MAX_EXTENSIONS)
            continue;
        packet->extensions[packet->extension_count++] =
            (sl_extension){number, element.size, element.value};
    }
    return found == 0;
}

/* False where it is refused. */
static bool receive_one(sl_ingest *ingest, const sl_plain *plain, double now, sl_relayed *out)
{
    sl_incoming packet = {.bytes = plain->bytes, .size = plain->size};
    if (plain->size > SL_MAX_RTP_SIZE || !sl_rtp_parse(plain->bytes, plain->size, &packet.header))
        return false;
    sl_receiver receiver = ingest->receivers[packet.header.payload_type];
    bool is_foreign = receiver.track == NULL;
    sl_track *track = is_foreign ? track_of_foreign(ingest, packet.header.ssrc) : receiver.track;
    if (track == NULL || !read_extensions(&track->spec, &packet))
        return false;
    if (is_foreign)
        sl_track_leave_out(track, &packet, now, out);
    else if (receiver.is_rtx)
        sl_track_recover(track, &packet, now, out);
    else
        sl_track_receive(track, &packet, now, out);
    return true;
}

size_t sl_ingest_receive(
    sl_ingest *ingest, const sl_plain *packets, size_t count, double now, sl_packet *out
)
{
    sl_relayed relayed = {out, 0};
    for (size_t i = 0; i < count; i++) {
        if (!sl_budget_allows(&ingest->bytes, (int64_t)packets[i].size, now))
            ingest->over_bitrate++;
        else if (!receive_one(ingest, &packets[i], now, &relayed))
            ingest->refused++;
    }
    for (size_t i = 0; i < relayed.count; i++)
        ingest->keyframes += out[i].keyframe && out[i].kind == SL_VIDEO;
    for (size_t i = 0; i < ingest->present_count; i++)
        sl_track_end_batch(ingest->present[i]);
    return relayed.count;
}

void sl_ingest_on_sender_report(
    sl_ingest *ingest, uint32_t ssrc, uint64_t ntp, uint32_t rtp_timestamp, double now
)
{
    for (size_t i = 0; i < ingest->present_count; i++)
        sl_track_on_sender_report(ingest->present[i], ssrc, ntp, rtp_timestamp, now);
}

void sl_ingest_on_bye(sl_ingest *ingest, uint32_t ssrc)
{
    for (size_t i = 0; i < ingest->present_count; i++)
        sl_track_on_bye(ingest->present[i], ssrc);
}

size_t sl_ingest_reports(sl_ingest *ingest, double now, sl_report_block *blocks)
{
    size_t count = 0;
    for (size_t i = 0; i < ingest->present_count; i++) {
        sl_source *source = &ingest->present[i]->source;
        if (ingest->present[i]->has_source)
            blocks[count++] = sl_reception_report(&source->reception, source->ssrc, now);
    }
    return count;
}

size_t sl_ingest_missing(sl_ingest *ingest, double now, uint32_t *media_ssrc, int64_t *sequences)
{
    sl_track *video = sl_ingest_track(ingest, SL_VIDEO);
    if (video == NULL || !video->has_source || !sl_track_media_ssrc(video, media_ssrc))
        return 0;
    return sl_losses_due(&video->source.losses, now, sequences);
}

double sl_ingest_missing_due(const sl_ingest *ingest)
{
    const sl_track *video = &ingest->tracks[SL_VIDEO]; /* without a source if it never came */
    return video->has_source ? video->source.losses.next_due : INFINITY;
}

uint64_t sl_ingest_sources(const sl_ingest *ingest)
{
    return ingest->tracks[SL_AUDIO].sources + ingest->tracks[SL_VIDEO].sources;
}
