#include "packet_writer.h"

#include <string.h>

#include "rtp.h"

enum {
    MAX_STAMPS = 3,
    ABS_SEND_TIME_SIZE = 3,
    TRANSPORT_SEQUENCE_SIZE = 2,
    STAMPS_SIZE = SL_VIEWER_MAX_MID + ABS_SEND_TIME_SIZE + TRANSPORT_SEQUENCE_SIZE,
};

bool sl_packet_is_stamped(const sl_packet_format *format)
{
    return format->extension_ids[SL_EXTENSION_ABS_SEND_TIME] != 0 ||
           format->extension_ids[SL_EXTENSION_TRANSPORT_SEQUENCE] != 0;
}

size_t sl_packet_room(const sl_packet *packet)
{
    size_t values = STAMPS_SIZE;
    for (int at = 0; at < packet->extension_count; at++)
        values += packet->extensions[at].size;
    return SL_RTP_HEADER_SIZE +
           sl_rtp_extensions_room(MAX_STAMPS + packet->extension_count, values) +
           SL_RTX_HEADER_SIZE + packet->payload_size + SL_SRTP_MAX_TAG;
}

/* The moment as 6.18 fixed point seconds, which wraps every 64 s. */
static void write_abs_send_time(uint8_t *out, double now)
{
    uint32_t value = (uint32_t)((int64_t)(now * 262144.0) & 0xFFFFFF);
    out[0] = (uint8_t)(value >> 16);
    sl_write16(out + 1, (uint16_t)value);
}

/* Appends an element if the viewer agreed to its extension. */
static size_t append(const sl_packet_format *format, sl_rtp_element *elements, size_t count,
                     uint8_t number, uint8_t size, const uint8_t *value)
{
    uint8_t id = format->extension_ids[number];
    if (id != 0)
        elements[count++] = (sl_rtp_element){id, size, value};
    return count;
}

static size_t write_extensions(const sl_packet_format *format, uint16_t *transport,
                               const sl_packet *packet, double now, uint8_t *out)
{
    sl_rtp_element elements[MAX_STAMPS + SL_PACKET_MAX_EXTENSIONS];
    uint8_t time[ABS_SEND_TIME_SIZE], sequence[TRANSPORT_SEQUENCE_SIZE];
    size_t count = append(format, elements, 0, SL_EXTENSION_MID, format->mid_size, format->mid);
    write_abs_send_time(time, now);
    count = append(format, elements, count, SL_EXTENSION_ABS_SEND_TIME, sizeof time, time);
    if (format->extension_ids[SL_EXTENSION_TRANSPORT_SEQUENCE] != 0) {
        sl_write16(sequence, (*transport)++);
        count = append(format, elements, count, SL_EXTENSION_TRANSPORT_SEQUENCE, sizeof sequence,
                       sequence);
    }
    for (int at = 0; at < packet->extension_count; at++) {
        const sl_extension *extension = &packet->extensions[at];
        count = append(format, elements, count, extension->number, extension->size,
                       extension->value);
    }
    return sl_rtp_write_extensions(out, elements, count);
}

/* Puts the parts of a retransmission's payload together, in their place; the size. */
static size_t join(uint8_t *text, const uint8_t *original, const sl_packet *packet)
{
    memcpy(text, original, SL_RTX_HEADER_SIZE);
    if (packet->payload_size > 0)
        memcpy(text + SL_RTX_HEADER_SIZE, packet->payload, packet->payload_size);
    return (size_t)SL_RTX_HEADER_SIZE + packet->payload_size;
}

int sl_packet_write(const sl_packet_format *format, const sl_packet_stream *stream, sl_srtp *srtp,
                    uint16_t *transport, const sl_packet *packet, const uint8_t *original,
                    int64_t index, double now, uint8_t *out)
{
    sl_rtp_write_header(out, stream->payload_type, packet->marker, (uint16_t)index,
                        packet->timestamp + format->timestamp_offset, stream->ssrc);
    size_t header_size = SL_RTP_HEADER_SIZE, payload_size = packet->payload_size;
    if (format->has_extensions)
        header_size += write_extensions(format, transport, packet, now, out);
    const uint8_t *payload = packet->payload;
    if (original != NULL) {
        payload = out + header_size;
        payload_size = join(out + header_size, original, packet);
    }
    return sl_srtp_protect_rtp(srtp, out, header_size, payload, payload_size,
                               (uint64_t)index & UINT64_C(0xFFFFFFFFFFFF));
}
