/* What a datagram on the shared port is, by its first bytes: media/transport/demux.py. */
#ifndef SL_DEMUX_H
#define SL_DEMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SL_STUN,
    SL_DTLS,
    SL_RTP,
    SL_RTCP,
    SL_OTHER,
    SL_DATAGRAM_KINDS,
} sl_datagram_kind;

/* RFC 7983 §7, RFC 5761 §4: RTCP packet types stand where RTP has its marker and payload type. */
static inline sl_datagram_kind sl_classify(const uint8_t *datagram, size_t size)
{
    if (size < 2)
        return SL_OTHER;
    uint8_t first = datagram[0], second = datagram[1];
    if (first <= 3)
        return SL_STUN;
    if (20 <= first && first <= 63)
        return SL_DTLS;
    if (128 <= first && first <= 191)
        return 192 <= second && second <= 223 ? SL_RTCP : SL_RTP;
    return SL_OTHER;
}

/* The source of an RTP or RTCP packet, which is never encrypted (RFC 3711 §3.1, §3.4); false: it is
 * neither, or too short to say. */
static inline bool sl_ssrc_of(const uint8_t *datagram, size_t size, uint32_t *ssrc)
{
    sl_datagram_kind kind = sl_classify(datagram, size);
    size_t at = kind == SL_RTP ? 8 : 4;
    if ((kind != SL_RTP && kind != SL_RTCP) || size < at + 4)
        return false;
    const uint8_t *bytes = datagram + at;
    *ssrc = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

#endif
