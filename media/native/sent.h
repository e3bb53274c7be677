/* How much went to a viewer, track by track: media.relay.tracks.SentTrack without its names.
 *
 * It only grows. The fan-out's thread writes it, any thread that holds a reference reads it; each
 * number by itself is whole (relaxed atomics).
 */
#ifndef SL_SENT_H
#define SL_SENT_H

#include <stddef.h>
#include <stdint.h>

#include "packet.h"

typedef struct {
    uint64_t packets, octets;
} sl_sent_track;

typedef struct {
    uint32_t references;
    sl_sent_track tracks[SL_KINDS]; /* by kind */
} sl_sent;

sl_sent *sl_sent_new(void); /* one reference; NULL: no memory */
sl_sent *sl_sent_retain(sl_sent *sent);
void sl_sent_release(sl_sent *sent); /* NULL is nothing to release */

sl_sent_track sl_sent_read(const sl_sent *sent, uint8_t kind);

/* The one writer's. */
void sl_sent_count(sl_sent *sent, uint8_t kind, uint64_t packets, uint64_t octets);

#endif
