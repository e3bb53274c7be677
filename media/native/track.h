/* One track of the publisher as viewers see it, a single timeline: media/relay/ingest.py. */
#ifndef SL_TRACK_H
#define SL_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyframe.h"
#include "packet.h"
#include "rate.h"
#include "rtp.h"
#include "source.h"

enum {
    SL_MAX_RTP_SIZE = 2048, /* longer than any Ethernet frame */
    SL_CODEC_NAME_SIZE = 16,
    SL_EXTENSION_IDS = 256,
    SL_NOT_PASSED = 0xFF, /* an id that no extension with a number has */
};

/* media.relay.tracks.TrackSpec. */
typedef struct {
    uint8_t kind;
    char codec_name[SL_CODEC_NAME_SIZE];
    sl_codec codec;
    uint8_t payload_type;
    bool has_ssrc, has_rtx;
    uint32_t ssrc;
    uint8_t rtx_payload_type;
    uint32_t clock_rate;
    uint8_t extensions[SL_EXTENSION_IDS]; /* the publisher's id to an extension's number */
} sl_track_spec;

/* A packet of a batch, decrypted and parsed; its bytes stay where they are until the batch is
 * over. */
typedef struct {
    sl_rtp_header header;
    const uint8_t *bytes;
    size_t size;
    uint8_t extension_count;
    sl_extension extensions[SL_PACKET_MAX_EXTENSIONS];
} sl_incoming;

/* A packet from elsewhere; when the next follows it, it was the first of a new source. It is kept
 * beyond its batch in one of two buffers in turn: the other may still be on its way to viewers. */
typedef struct {
    bool is_there;
    bool is_kept; /* in a buffer, as opposed to among the packets of the batch */
    sl_incoming packet;
    size_t turn;
    uint8_t buffers[2][SL_MAX_RTP_SIZE];
} sl_stranger;

typedef struct {
    sl_track_spec spec;
    bool is_published;
    bool has_source;
    sl_source source;
    sl_stranger stranger;
    int64_t next;
    bool has_newest;
    uint32_t newest_timestamp;
    double newest_at;
    uint64_t packets;
    int64_t lost_before;
    sl_rate rate;
    uint64_t sources; /* that were taken; only grows */
} sl_track;

/* Where relayed packets go: at most two for each that comes. */
typedef struct {
    sl_packet *packets;
    size_t count;
} sl_relayed;

void sl_track_init(sl_track *track, const sl_track_spec *spec, double now);

/* The publisher came back: what comes next is a new source, described by `spec`. */
void sl_track_begin(sl_track *track, const sl_track_spec *spec);

/* The publisher is gone. */
void sl_track_end(sl_track *track);

/* The publisher's SSRC; false if there is none or it is not known. */
bool sl_track_media_ssrc(const sl_track *track, uint32_t *ssrc);

/* A packet with the track's payload type. */
void sl_track_receive(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out);

/* An RTX packet (RFC 4588). */
void sl_track_recover(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out);

/* A packet of the source with a payload type that nobody negotiated. */
void sl_track_leave_out(sl_track *track, const sl_incoming *packet, double now, sl_relayed *out);

/* The bytes of the batch will be gone: keep what is still needed of them. */
void sl_track_end_batch(sl_track *track);

void sl_track_on_sender_report(
    sl_track *track, uint32_t ssrc, uint64_t ntp, uint32_t rtp_timestamp, double now
);
void sl_track_on_bye(sl_track *track, uint32_t ssrc);

/* Packets of the publisher that never came. */
int64_t sl_track_lost(const sl_track *track);

#endif
