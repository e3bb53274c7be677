/* RTP headers (RFC 3550 §5.1) and their extensions (RFC 8285): read, and written for viewers.
 *
 * media.wire.rtp and the header part of media.relay.lane are the specification.
 */
#ifndef SL_RTP_H
#define SL_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

enum {
    SL_RTP_HEADER_SIZE = 12,
    SL_RTP_EXTENSION_HEADER_SIZE = 4,
    SL_RTX_HEADER_SIZE = 2, /* the original sequence number, in front of an RTX payload */
};

typedef struct {
    uint8_t payload_type;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    size_t payload_start, payload_end;
    bool has_extension;
    uint16_t extension_profile;
    size_t extension_start, extension_size; /* without its own header of four bytes */
} sl_rtp_header;

/* Reads the header of a packet, checking every length in it; false where it is no RTP packet. */
bool sl_rtp_parse(const uint8_t *packet, size_t size, sl_rtp_header *header);

/* Walks the elements of a header extension. */
typedef struct {
    const uint8_t *at, *end;
    bool two_byte;
} sl_rtp_elements;

typedef struct {
    uint8_t id;
    uint8_t size;
    const uint8_t *value;
} sl_rtp_element;

/* An unknown profile has no elements. */
sl_rtp_elements sl_rtp_elements_of(const uint8_t *packet, const sl_rtp_header *header);

/* 1 and the next element, 0 at the end, -1 where an element reaches past the extension. */
int sl_rtp_next_element(sl_rtp_elements *elements, sl_rtp_element *element);

/* Writes the fixed header of 12 bytes. */
void sl_rtp_write_header(uint8_t *out, uint8_t payload_type, bool marker, uint16_t sequence,
                         uint32_t timestamp, uint32_t ssrc);

/* Writes an extension block of these elements and its header, padded to 32 bits, and sets X in the
 * packet's first byte; nothing for no elements. The one-byte form where every id is 14 at most and
 * every value has 1 to 16 bytes. The size of what was written, a multiple of four. */
size_t sl_rtp_write_extensions(uint8_t *packet, const sl_rtp_element *elements, size_t count);

/* The most that `count` elements with `value_bytes` bytes of values can take. */
static inline size_t sl_rtp_extensions_room(size_t count, size_t value_bytes)
{
    return count == 0 ? 0 : SL_RTP_EXTENSION_HEADER_SIZE + 2 * count + value_bytes + 3;
}

/* The value congruent to `number` modulo 2^16 that lies closest to `near`; may be negative. */
static inline int64_t sl_rtp_extend(uint16_t number, int64_t near)
{
    return near + (int64_t)((uint64_t)(number - near + 0x8000) & 0xFFFF) - 0x8000;
}

static inline uint16_t sl_read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t sl_read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void sl_write16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void sl_write32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

#endif
