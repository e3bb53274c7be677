/* One track towards one viewer: its numbering, its retransmission, and whether it waits.
 * media.relay.lane.Lane and media.relay.rtx.RtxStream in C.
 */
#ifndef SL_LANE_H
#define SL_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "datagrams.h"
#include "packet_writer.h"
#include "seqmap.h"
#include "sent.h"
#include "srtp.h"

typedef struct {
    uint8_t kind;
    uint8_t payload_type;
    bool has_rtx;
    uint8_t rtx_payload_type;
    uint32_t ssrc, rtx_ssrc;
    uint8_t extension_ids[SL_EXTENSION_NUMBERS]; /* the viewer's id by extension number; 0: none */
    uint8_t mid_size;
    uint8_t mid[SL_VIEWER_MAX_MID];
} sl_viewer_track;

typedef struct {
    bool is_there; /* the viewer has such a track */
    bool waiting;  /* for a packet that a receiver can begin with */
    bool repeats;  /* retransmissions may be the identical datagrams */
    bool has_rtx;
    sl_packet_stream stream, rtx;
    int64_t rtx_index;
    sl_sent_track sent;
    sl_seqmap sequences;
    sl_packet_format format;
} sl_lane;

/* What the lanes of a viewer share. */
typedef struct {
    sl_srtp *srtp;
    uint16_t transport; /* the next transport-wide sequence number */
} sl_lane_output;

void sl_lane_init(sl_lane *lane, const sl_viewer_track *track, sl_seqmap_span *past);

/* Adds the datagrams of those of `count` packets of this track that are to go out; how many packets
 * were left out after some had gone before them. */
size_t sl_lane_send(sl_lane *lane, sl_lane_output *output, sl_datagrams *datagrams,
                    const sl_packet *const *run, size_t count, double now);

/* The packet that went out as this 16-bit number, if it is kept and may be sent again. */
bool sl_lane_find(const sl_lane *lane, const sl_cache *cache, uint16_t sequence, sl_packet *packet);

/* Adds what repeats it: by RTX where that was negotiated, else the identical datagram. */
void sl_lane_send_again(sl_lane *lane, sl_lane_output *output, sl_datagrams *datagrams,
                        uint16_t sequence, const sl_packet *packet, double now);

#endif
