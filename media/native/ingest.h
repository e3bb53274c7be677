/* The publisher's packets of a stream become the relay's: media/relay/publisher_ingest.py. Tracks
 * live on from one publisher to the next, by kind. */
#ifndef SL_INGEST_H
#define SL_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budget.h"
#include "packet.h"
#include "track.h"

enum {
    SL_PAYLOAD_TYPES = 128,
    SL_INGEST_MAX_BATCH = 256,
};

typedef struct {
    uint8_t *bytes;
    size_t size;
} sl_plain;

/* What takes the packets of a payload type. */
typedef struct {
    sl_track *track; /* NULL: nobody */
    bool is_rtx;
} sl_receiver;

typedef struct {
    sl_track tracks[SL_KINDS]; /* by kind */
    sl_track *present[SL_KINDS]; /* in the order in which they first came */
    size_t present_count;
    sl_receiver receivers[SL_PAYLOAD_TYPES];
    sl_budget bytes;
    uint64_t refused;      /* packets that were no RTP, or of no track */
    uint64_t over_bitrate; /* packets beyond the publisher's limit */
    uint64_t keyframes;    /* of video, that began to arrive */
} sl_ingest;

void sl_ingest_init(sl_ingest *ingest, double max_bitrate_bps);

/* A publisher begins, or comes back. One track of a kind at most. */
void sl_ingest_set_publisher(
    sl_ingest *ingest, const sl_track_spec *specs, size_t count, double now
);

/* Nothing more is taken, nor asked for, until `set_publisher`. */
void sl_ingest_publisher_gone(sl_ingest *ingest);

/* What to relay of packets that came together, in order, into `out` of 2 * count. It is valid as
 * long as the packets are, and until the next call. */
size_t sl_ingest_receive(
    sl_ingest *ingest, const sl_plain *packets, size_t count, double now, sl_packet *out
);

void sl_ingest_on_sender_report(
    sl_ingest *ingest, uint32_t ssrc, uint64_t ntp, uint32_t rtp_timestamp, double now
);
void sl_ingest_on_bye(sl_ingest *ingest, uint32_t ssrc);

/* How every source is received, into `blocks` of SL_KINDS; how many. Ends the intervals. */
size_t sl_ingest_reports(sl_ingest *ingest, double now, sl_report_block *blocks);

/* The video packets to ask for now, into `sequences` of SL_MAX_ASKED; how many. */
size_t sl_ingest_missing(sl_ingest *ingest, double now, uint32_t *media_ssrc, int64_t *sequences);

/* When the next of them is due; infinite if none is. */
double sl_ingest_missing_due(const sl_ingest *ingest);

/* Sources that were taken so far: it grows when the publisher's SSRC changes. */
uint64_t sl_ingest_sources(const sl_ingest *ingest);

/* The track of a kind, or NULL. */
sl_track *sl_ingest_track(sl_ingest *ingest, uint8_t kind);

#endif
