#include "rtp.h"

#include <string.h>

enum {
    VERSION_2 = 0x80,
    HAS_PADDING = 0x20,
    HAS_EXTENSION = 0x10,
    ONE_BYTE_PROFILE = 0xBEDE,
    TWO_BYTE_PROFILE = 0x1000, /* the low four bits are the application's */
    ONE_BYTE_MAX_ID = 14,
    ONE_BYTE_MAX_SIZE = 16,
};

bool sl_rtp_parse(const uint8_t *packet, size_t size, sl_rtp_header *header)
{
    if (size < SL_RTP_HEADER_SIZE || (packet[0] & 0xC0) != VERSION_2)
        return false;
    *header = (sl_rtp_header){
        .payload_type = packet[1] & 0x7F,
        .marker = packet[1] > 0x7F,
        .sequence = sl_read16(packet + 2),
        .timestamp = sl_read32(packet + 4),
        .ssrc = sl_read32(packet + 8),
    };
    size_t start = SL_RTP_HEADER_SIZE + 4u * (packet[0] & 0x0F), end = size;
    if (packet[0] & HAS_EXTENSION) {
        if (size < start + SL_RTP_EXTENSION_HEADER_SIZE)
            return false;
        header->has_extension = true;
        header->extension_profile = sl_read16(packet + start);
        header->extension_size = 4u * sl_read16(packet + start + 2);
        header->extension_start = start += SL_RTP_EXTENSION_HEADER_SIZE;
        start += header->extension_size;
    }
    if (packet[0] & HAS_PADDING) {
        uint8_t padding = packet[size - 1];
        if (padding == 0 || padding > end)
            return false;
        end -= padding;
    }
    header->payload_start = start;
    header->payload_end = end;
    return start <= end;
}

sl_rtp_elements sl_rtp_elements_of(const uint8_t *packet, const sl_rtp_header *header)
{
    sl_rtp_elements elements = {packet, packet, false};
    bool one_byte = header->extension_profile == ONE_BYTE_PROFILE;
    bool two_byte = (header->extension_profile & 0xFFF0) == TWO_BYTE_PROFILE;
    if (header->has_extension && (one_byte || two_byte)) {
        elements.at = packet + header->extension_start;
        elements.end = elements.at + header->extension_size;
        elements.two_byte = two_byte;
    }
    return elements;
}

static int take_element(sl_rtp_elements *elements, sl_rtp_element *element, uint8_t id,
                        size_t value_at, size_t size)
{
    if (value_at + size > (size_t)(elements->end - elements->at))
        return -1;
    *element = (sl_rtp_element){id, (uint8_t)size, elements->at + value_at};
    elements->at += value_at + size;
    return 1;
}

int sl_rtp_next_element(sl_rtp_elements *elements, sl_rtp_element *element)
{
    /* RFC 8285 §4.1.2: padding, and nobody's id. */
    while (elements->at < elements->end &&
           (elements->two_byte ? *elements->at : *elements->at >> 4) == 0)
        elements->at++;
    if (elements->at == elements->end)
        return 0;
    uint8_t first = *elements->at;
    if (elements->two_byte) {
        if (elements->end - elements->at < 2)
            return -1;
        return take_element(elements, element, first, 2, elements->at[1]);
    }
    if (first >> 4 == 15) { /* RFC 8285 §4.2: processing stops at this id */
        elements->at = elements->end;
        return 0;
    }
    return take_element(elements, element, first >> 4, 1, (first & 0x0Fu) + 1);
}

void sl_rtp_write_header(uint8_t *out, uint8_t payload_type, bool marker, uint16_t sequence,
                         uint32_t timestamp, uint32_t ssrc)
{
    out[0] = VERSION_2;
    out[1] = (uint8_t)(marker << 7 | payload_type);
    sl_write16(out + 2, sequence);
    sl_write32(out + 4, timestamp);
    sl_write32(out + 8, ssrc);
}

static bool fit_one_byte(const sl_rtp_element *elements, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (elements[at].id > ONE_BYTE_MAX_ID || elements[at].size == 0 ||
            elements[at].size > ONE_BYTE_MAX_SIZE)
            return false;
    return true;
}

size_t sl_rtp_write_extensions(uint8_t *packet, const sl_rtp_element *elements, size_t count)
{
    if (count == 0)
        return 0;
    bool one_byte = fit_one_byte(elements, count);
    uint8_t *start = packet + SL_RTP_HEADER_SIZE;
    uint8_t *values = start + SL_RTP_EXTENSION_HEADER_SIZE, *at = values;
    for (size_t number = 0; number < count; number++) {
        const sl_rtp_element *element = &elements[number];
        if (one_byte) {
            *at++ = (uint8_t)(element->id << 4 | (element->size - 1));
        } else {
            *at++ = element->id;
            *at++ = element->size;
        }
        memcpy(at, element->value, element->size);
        at += element->size;
    }
    while ((at - values) % 4)
        *at++ = 0;
    packet[0] |= HAS_EXTENSION;
    sl_write16(start, one_byte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE);
    sl_write16(start + 2, (uint16_t)((at - values) / 4));
    return (size_t)(at - start);
}
