/* How much went to a viewer, track by track: media.relay.tracks.SentTrack without its names. */
#ifndef SL_SENT_H
#define SL_SENT_H

#include <stddef.h>
#include <stdint.h>

#include "packet.h"

/* What went to a viewer, track by track: only grows. Written by the fan-out's thread, read by any
 * that holds a reference; each number by itself is whole (relaxed atomics). */
typedef struct {
    uint64_t packets, octets;
} sl_sent_track;

typedef struct {
    uint32_t references;
    sl_sent_track tracks[SL_KINDS]; /* by kind */
} sl_sent;

sl_sent *sl_sent_new(void); /* NULL: no memory */
sl_sent *sl_sent_retain(sl_sent *sent);
void sl_sent_release(sl_sent *sent);
sl_sent_track sl_sent_read(const sl_sent *sent, uint8_t kind);

#endif
