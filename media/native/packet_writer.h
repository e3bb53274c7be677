/* A relay's packet as one viewer gets it: media.relay.packet_writer in C.
 *
 * The packet has the viewer's own SSRC, payload type, numbering and extension ids. Neither padding
 * nor CSRCs are written, and no extension where there is nothing to say.
 */
#ifndef SL_PACKET_WRITER_H
#define SL_PACKET_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"
#include "srtp.h"

enum { SL_VIEWER_MAX_MID = 32 };

/* What the packets of a track and those of its retransmission stream have in common. */
typedef struct {
    uint32_t timestamp_offset;
    bool has_extensions;
    uint8_t mid_size;
    uint8_t extension_ids[SL_EXTENSION_NUMBERS]; /* the viewer's by extension number; 0: none */
    uint8_t mid[SL_VIEWER_MAX_MID];
} sl_packet_format;

typedef struct {
    uint32_t ssrc;
    uint8_t payload_type;
} sl_packet_stream;

/* Whether packets say when or as which they were sent, so that no two are the same bytes. */
bool sl_packet_is_stamped(const sl_packet_format *format);

/* The most bytes that a datagram with this packet can have, whoever the viewer is, RTX included. */
size_t sl_packet_room(const sl_packet *packet);

/* Writes and protects the datagram that carries `packet` under `index`; `transport` is the viewer's
 * counter, used and moved where the track is numbered. `original` is NULL, or what stands in front
 * of the payload of a retransmission (RFC 4588 §4: SL_RTX_HEADER_SIZE bytes, the sequence number
 * that it went out as). The size, or SL_SRTP_FAILED. */
int sl_packet_write(const sl_packet_format *format, const sl_packet_stream *stream, sl_srtp *srtp,
                    uint16_t *transport, const sl_packet *packet, const uint8_t *original,
                    int64_t index, double now, uint8_t *out);

#endif
