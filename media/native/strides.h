/* A batch in the form that every viewer is served from: what is new of it, as runs of one kind.
 * media.relay.egress.runs_of in C, with the bounds of one reservation of datagrams.
 */
#ifndef SL_STRIDES_H
#define SL_STRIDES_H

#include <stdbool.h>
#include <stddef.h>

#include "cache.h"
#include "datagrams.h"
#include "egress.h"
#include "packet.h"

enum { SL_STRIDES_MAX = SL_DATAGRAMS_MAX_RESERVED };

typedef struct {
    const sl_packet *packets[SL_STRIDES_MAX];
    sl_run runs[SL_STRIDES_MAX];
    size_t packet_count, run_count;
    size_t bytes; /* that a viewer's datagrams can have together */
} sl_strides;

/* Fills `strides` with the next packets of a batch, as far as they go out together, and keeps them
 * in the cache of their kind. How many packets of the batch it went over. */
size_t sl_strides_take(sl_strides *strides, sl_cache caches[SL_KINDS], const sl_packet *batch,
                       size_t left, double now);

bool sl_strides_have_video(const sl_strides *strides);

#endif
