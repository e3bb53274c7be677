/* Sequence numbers towards one viewer, and back: media.relay.seqmap.SeqMap in C.
 *
 * One outgoing number never stands for two source numbers. SRTP depends on it: an AES-GCM index that
 * is used for two different packets gives both away (RFC 7714 §9.1).
 */
#ifndef SL_SEQMAP_H
#define SL_SEQMAP_H

#include <stdbool.h>
#include <stdint.h>

enum { SL_SEQMAP_MAX_SPANS = 64 };

/* Source numbers from `start` up to `end` (exclusive) go out as `source - shift`. */
typedef struct {
    int64_t start, end, shift;
} sl_seqmap_span;

typedef struct {
    int64_t next, start, shift;
    uint16_t first;
    bool started;
    uint8_t span_count, oldest_span;
    sl_seqmap_span *past; /* a ring of SL_SEQMAP_MAX_SPANS, which the caller owns */
} sl_seqmap;

void sl_seqmap_init(sl_seqmap *map, uint16_t first, sl_seqmap_span *past);

/* The number after the highest that was given away. */
static inline int64_t sl_seqmap_next_outgoing(const sl_seqmap *map)
{
    return map->started ? map->next - map->shift : map->first;
}

/* The outgoing number of `source`; -1 if it was left out or is too late to tell. */
int64_t sl_seqmap_map(sl_seqmap *map, int64_t source);

/* Leaves out everything not yet numbered before `source`, which comes next. */
void sl_seqmap_skip_to(sl_seqmap *map, int64_t source);

/* The source number that went out as `outgoing`, or is missing in its place; -1 for none. */
int64_t sl_seqmap_source(const sl_seqmap *map, int64_t outgoing);

#endif
