/* One viewer of a stream: its address, its tracks, and what it waits for.
 * media.relay.egress.ViewerEgress in C.
 */
#ifndef SL_EGRESS_H
#define SL_EGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datagrams.h"
#include "lane.h"
#include "packet.h"
#include "sent.h"
#include "srtp.h"

typedef struct {
    uint64_t id;
    sl_address address;
    sl_srtp *srtp; /* fresh keys: numbering starts anew with every viewer */
    sl_sent *sent; /* NULL: nobody asks */
    size_t track_count;
    sl_viewer_track tracks[SL_KINDS]; /* at most one of a kind */
} sl_viewer;

/* Consecutive packets of one kind: what a viewer takes at a stride. */
typedef struct {
    const sl_packet *const *packets;
    size_t count;
    uint8_t kind;
} sl_run;

typedef struct {
    uint64_t id;
    void *fanout; /* whose viewer it is */
    sl_sent *sent;
    bool is_paused;
    bool is_counted_waiting; /* fanout.c's */
    sl_address address;
    sl_lane_output output;
    sl_lane lanes[SL_KINDS]; /* by kind */
    sl_seqmap_span past[SL_KINDS][SL_SEQMAP_MAX_SPANS];
} sl_egress;

/* Copies `viewer` and takes references of its own to its srtp and sent. NULL: no memory. */
sl_egress *sl_egress_new(const sl_viewer *viewer, void *fanout);
void sl_egress_free(sl_egress *egress);

/* Asks the processor for what `sl_egress_send` will need. */
void sl_egress_prefetch(const sl_egress *egress);

/* Whether a keyframe is what this viewer needs next. */
bool sl_egress_is_waiting(const sl_egress *egress);

/* Begins again with the next packet that needs none before it. */
void sl_egress_resume(sl_egress *egress);

/* Adds the datagrams of those packets that this viewer is ready for; how many were left out after
 * some had gone before them. */
size_t sl_egress_send(sl_egress *egress, sl_datagrams *datagrams, const sl_run *runs, size_t count,
                      double now);

/* Some of its last datagrams could not be sent, and all video among them is suspected: it waits. */
void sl_egress_lost_video(sl_egress *egress);

#endif
