/* One RTP source of the publisher, joined on to its track: media/relay/source.py. */
#ifndef SL_SOURCE_H
#define SL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "losses.h"
#include "reception.h"
#include "rtp.h"
#include "seqmap.h"

/* RFC 3550 §A.1, with more room for late packets, since they may be retransmissions. */
enum { SL_MAX_DROPOUT = 3000, SL_MAX_MISORDER = 1000 };

/* A sender report's pair, and when it came; the timestamp is on the track's timeline. */
typedef struct {
    uint64_t ntp;
    uint32_t timestamp;
    double received_at;
    uint32_t clock_rate;
} sl_sender_clock;

typedef struct {
    uint32_t ssrc;
    uint32_t timestamp_offset; /* from the source's timestamps to the track's */
    uint32_t clock_rate;
    int64_t highest; /* extended sequence number */
    sl_losses losses;
    sl_reception reception;
    bool has_clock;
    sl_sender_clock clock;
    int64_t first; /* number of the track; `numbers` begins with 0 there */
    sl_seqmap numbers;
    sl_seqmap_span omissions[SL_SEQMAP_MAX_SPANS];
} sl_source;

/* Each number comes out once, from `first` on. */
void sl_source_init(
    sl_source *source, const sl_rtp_header *header, uint32_t clock_rate, int64_t first,
    uint32_t timestamp_offset
);

/* Whether a packet goes on where the source is, as opposed to somewhere else entirely. */
bool sl_source_fits(const sl_source *source, const sl_rtp_header *header);

/* Count a packet that fits; whether it has a number in the track: no repetition has. `leave_out`
 * asks for none, if none of the later packets has one yet. */
bool sl_source_receive(
    sl_source *source, const sl_rtp_header *header, double now, bool leave_out, int64_t *number
);

/* As `receive`, for what came by RTX under its original 16-bit number. */
bool sl_source_recover(sl_source *source, uint16_t sequence, double now, int64_t *number);

/* Learn the source's clock. */
void sl_source_on_sender_report(
    sl_source *source, uint64_t ntp, uint32_t rtp_timestamp, double now
);

#endif
