#include "transport_feedback.h"

#include "rtp.h"

enum { HEADER_SIZE = 16, COUNT_AT = 10, CHUNK_SIZE = 2, VECTOR_BITS = 14 };

/* How many packets a status chunk is about (draft-holmer-rmcat-transport-wide-cc-extensions-01
 * §3.1.3, §3.1.4). */
static size_t symbols_of(uint16_t chunk)
{
    if ((chunk & 0x8000) == 0)
        return chunk & 0x1FFF;
    return VECTOR_BITS / (chunk & 0x4000 ? 2 : 1);
}

bool sl_transport_feedback_is_whole(const uint8_t *body, size_t size)
{
    if (size < HEADER_SIZE)
        return false;
    size_t left = sl_read16(body + COUNT_AT);
    for (size_t at = HEADER_SIZE; left > 0; at += CHUNK_SIZE) {
        size_t symbols = at + CHUNK_SIZE <= size ? symbols_of(sl_read16(body + at)) : 0;
        if (symbols == 0) /* cut off, or a run of nothing */
            return false;
        left -= symbols < left ? symbols : left;
    }
    return true;
}
