/* The viewers of a fan-out: in the order in which they came, and by id. */
#ifndef SL_VIEWERS_H
#define SL_VIEWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "egress.h"

typedef struct {
    sl_egress **order; /* dense: what the sending loop walks */
    size_t count, capacity;
    sl_egress **by_id; /* open addressing; a power of two, at most half full */
    size_t places;
} sl_viewers;

void sl_viewers_clear(sl_viewers *viewers); /* frees the viewers too */

sl_egress *sl_viewers_find(const sl_viewers *viewers, uint64_t id);

/* Puts a viewer whose id is free at the end, and owns it. false: no memory. */
bool sl_viewers_add(sl_viewers *viewers, sl_egress *egress);

/* Takes a viewer out; NULL for an unknown id. The caller owns it again. */
sl_egress *sl_viewers_take(sl_viewers *viewers, uint64_t id);

#endif
