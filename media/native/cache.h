/* The last packets of one track: media.relay.packet_cache.PacketCache in C.
 *
 * A ring of slots by sequence number and a ring of bytes in the order of arrival. Both double as
 * the stream needs, up to what the bounds allow; in between nothing is allocated. The memory of
 * packets that are too old to be sent again is used again before the ring grows.
 */
#ifndef SL_CACHE_H
#define SL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

typedef struct sl_cache_slot sl_cache_slot;

typedef struct {
    int64_t max_packets;
    size_t max_bytes;
    double max_age_s;
    int64_t oldest, end;      /* held sequences lie in [oldest, end) */
    size_t bytes;             /* of payload */
    double added_at;          /* when the last one came */
    sl_cache_slot *slots;     /* by sequence modulo slot_count */
    int64_t slot_count;       /* a power of two; 0 before the first packet */
    uint8_t *ring;
    uint64_t ring_size;       /* a power of two; 0 before the first packet */
    uint64_t ring_max;
    uint64_t head, tail;      /* bytes ever written and freed, gaps at the ring's end included */
} sl_cache;

void sl_cache_init(sl_cache *cache, size_t max_packets, size_t max_bytes, double max_age_s);
void sl_cache_clear(sl_cache *cache);

/* Keeps a copy of `packet`; false if one of its number was kept before, it is too old to tell, or
 * there is no memory to tell in. Without memory for its bytes it can't be had again. */
bool sl_cache_add(sl_cache *cache, const sl_packet *packet, double now);

/* The packet of that number if it is held. It points into the cache, until the next add. */
bool sl_cache_get(const sl_cache *cache, int64_t sequence, sl_packet *packet);

#endif
