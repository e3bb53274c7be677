/* One packet in, one to every viewer out: media.relay.fanout.PythonFanout in C, byte for byte.
 *
 * One thread owns an `sl_fanout` (adds, removes, sends); sl_fanout_counters and sl_fanout_waiting
 * are for any thread, and so is an `sl_sent` as long as it is held. Unknown viewer ids are ignored.
 */
#ifndef SL_FANOUT_H
#define SL_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datagrams.h"
#include "egress.h"
#include "packet.h"
#include "sent.h"
#include "srtp.h"

/* A longer batch, or a longer list of what to send again, is handled as several. */
enum { SL_FANOUT_MAX_BATCH = SL_DATAGRAMS_MAX_RESERVED };

typedef struct {
    size_t cache_max_packets, cache_max_bytes; /* a track */
    double cache_s;
    size_t max_viewers;
} sl_fanout_limits;

typedef struct {
    uint64_t forwarded, dropped, resent; /* media.relay.stats.FanoutCounters */
} sl_fanout_counts;

typedef enum {
    SL_FANOUT_OK = 0,
    SL_FANOUT_TAKEN = -1,     /* the id is served already */
    SL_FANOUT_FULL = -2,      /* max_viewers */
    SL_FANOUT_MALFORMED = -3, /* tracks that can't be */
    SL_FANOUT_NO_MEMORY = -4,
} sl_fanout_result;

typedef struct sl_fanout sl_fanout;

sl_fanout *sl_fanout_new(const sl_fanout_limits *limits); /* NULL: no memory */
void sl_fanout_free(sl_fanout *fanout);

/* Copies `viewer` and takes references of its own to its srtp and sent. */
sl_fanout_result sl_fanout_add_viewer(sl_fanout *fanout, const sl_viewer *viewer);
bool sl_fanout_remove_viewer(sl_fanout *fanout, uint64_t id);
void sl_fanout_set_address(sl_fanout *fanout, uint64_t id, const sl_address *address);
void sl_fanout_pause(sl_fanout *fanout, uint64_t id);
void sl_fanout_resume(sl_fanout *fanout, uint64_t id);

/* Keeps the packets for `resend` and sends them to every viewer that is ready for them; flushes. */
void sl_fanout_send(sl_fanout *fanout, sl_datagrams *datagrams, const sl_packet *batch,
                    size_t batch_size, double now);

/* Sends packets again, named by a viewer's 16-bit numbers, as far as they are kept; flushes. The
 * caller has taken them from the viewer's budget. */
void sl_fanout_resend(sl_fanout *fanout, sl_datagrams *datagrams, uint64_t id, uint32_t ssrc,
                      const uint16_t *sequences, size_t wanted, double now);

/* What a sender report says of a viewer's tracks; false for an unknown id. By kind; packets is 0
 * where a track did not start or is not there. */
bool sl_fanout_sent(const sl_fanout *fanout, uint64_t id, sl_sent_track tracks[SL_KINDS]);

size_t sl_fanout_viewers(const sl_fanout *fanout);
size_t sl_fanout_waiting(const sl_fanout *fanout); /* viewers that wait for a keyframe */
sl_fanout_counts sl_fanout_counters(const sl_fanout *fanout);

#endif
