/* What is in a compound RTCP packet, as far as the plane acts on it (RFC 3550 §6, RFC 4585).
 *
 * media/wire/rtcp.py is the specification: what it refuses is refused here. */
#ifndef SL_RTCP_H
#define SL_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_RTCP_MAX_SIZE = 2048,                            /* of a compound; longer ones are refused */
    SL_RTCP_MAX_NACKS = SL_RTCP_MAX_SIZE / 12,          /* a NACK takes 12 bytes at least */
    SL_RTCP_MAX_SEQUENCES = SL_RTCP_MAX_SIZE / 4 * 17, /* an item of four bytes names up to 17 */
};

/* Packets of `media_ssrc` that are missing: `sequences[first]` and so on. */
typedef struct {
    uint32_t media_ssrc;
    size_t first, count;
} sl_nack;

typedef struct {
    size_t nack_count, sequence_count;
    bool says_more; /* there is more in it than NACKs, names and reports about nothing */
    sl_nack nacks[SL_RTCP_MAX_NACKS];
    uint16_t sequences[SL_RTCP_MAX_SEQUENCES];
} sl_rtcp;

/* Walks a compound packet; false where it is malformed: then none of it counts. */
bool sl_rtcp_walk(const uint8_t *packet, size_t size, sl_rtcp *found);

#endif
