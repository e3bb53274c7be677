#include "rtcp.h"

#include "transport_feedback.h"

enum {
    SR = 200,
    RR = 201,
    SDES = 202,
    BYE = 203,
    RTPFB = 205,
    PSFB = 206,

    FMT_NACK = 1,
    FMT_TRANSPORT = 15,
    FMT_AFB = 15,

    HEADER_SIZE = 4,
    REPORT_BLOCK_SIZE = 24,
    SENDER_INFO_SIZE = 24,
    FEEDBACK_SIZE = 8, /* SSRC of the sender, SSRC of the media */
    REMB_SIZE = 16,
};

/* One packet of a compound; its padding is not in `body`. */
typedef struct {
    uint8_t type, count; /* count is the format of feedback */
    const uint8_t *body;
    size_t size;
} part;

static uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)read16(at) << 16 | read16(at + 2);
}

static bool is_known(uint8_t type)
{
    return type == SR || type == RR || type == BYE || type == RTPFB || type == PSFB;
}

/* Reads the packet at the front of what is left; its whole size, or 0 where it is malformed. */
static size_t next_part(const uint8_t *packet, size_t left, part *next)
{
    if (left < HEADER_SIZE || (packet[0] & 0xC0) != 0x80)
        return 0;
    size_t size = HEADER_SIZE + 4 * (size_t)read16(packet + 2);
    if (size > left)
        return 0;
    *next = (part){packet[1], packet[0] & 0x1F, packet + HEADER_SIZE, size - HEADER_SIZE};
    if ((packet[0] & 0x20) && is_known(next->type)) {
        uint8_t padding = next->size ? packet[size - 1] : 0;
        if (padding == 0 || padding > next->size)
            return 0;
        next->size -= padding;
    }
    return size;
}

static bool take_nack(const part *nack, sl_rtcp *found)
{
    sl_nack *taken = &found->nacks[found->nack_count++];
    *taken = (sl_nack){.media_ssrc = read32(nack->body + 4), .first = found->sequence_count};
    for (size_t at = FEEDBACK_SIZE; at + 4 <= nack->size; at += 4) {
        uint16_t first = read16(nack->body + at), following = read16(nack->body + at + 2);
        found->sequences[found->sequence_count++] = first;
        for (int bit = 1; bit <= 16; bit++)
            if (following >> (bit - 1) & 1)
                found->sequences[found->sequence_count++] = (uint16_t)(first + bit);
    }
    taken->count = found->sequence_count - taken->first;
    return true;
}

static bool is_whole_feedback(const part *feedback)
{
    const uint8_t *body = feedback->body;
    if (feedback->size < FEEDBACK_SIZE)
        return false;
    bool is_remb = feedback->type == PSFB && feedback->count == FMT_AFB && feedback->size >= 12 &&
                   read32(body + 8) == 0x52454D42; /* "REMB" */
    if (!is_remb)
        return true;
    return feedback->size >= REMB_SIZE && feedback->size >= REMB_SIZE + 4 * (size_t)body[12];
}

static bool take(const part *next, sl_rtcp *found)
{
    size_t blocks = (size_t)next->count * REPORT_BLOCK_SIZE;
    switch (next->type) {
    case SR:
        found->says_more = true;
        return next->size >= SENDER_INFO_SIZE + blocks;
    case RR:
        found->says_more |= next->count > 0;
        return next->size >= 4 + blocks;
    case BYE:
        found->says_more = true;
        return next->size >= 4 * (size_t)next->count;
    case RTPFB:
        if (next->count == FMT_NACK)
            return is_whole_feedback(next) && take_nack(next, found);
        found->says_more = true;
        if (next->count == FMT_TRANSPORT)
            return sl_transport_feedback_is_whole(next->body, next->size);
        return is_whole_feedback(next);
    case PSFB:
        found->says_more = true;
        return is_whole_feedback(next);
    default:
        found->says_more |= next->type != SDES;
        return true;
    }
}

bool sl_rtcp_walk(const uint8_t *packet, size_t size, sl_rtcp *found)
{
    found->nack_count = found->sequence_count = 0;
    found->says_more = false;
    if (size > SL_RTCP_MAX_SIZE)
        return false;
    for (size_t at = 0; at < size;) {
        part next;
        size_t taken = next_part(packet + at, size - at, &next);
        if (taken == 0 || !take(&next, found))
            return false;
        at += taken;
    }
    return true;
}
