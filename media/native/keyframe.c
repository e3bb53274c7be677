#include "keyframe.h"

#include <string.h>

enum {
    H264_IDR = 5,
    H264_SPS = 7,
    H264_STAP_A = 24,
    H264_FU_A = 28,
    AV1_SEQUENCE_HEADER = 1,
    AV1_TEMPORAL_DELIMITER = 2,
    LEB128_MAX_BITS = 56,
};

/* A payload that is read where it may have ended: then nothing that it seems to say counts. */
typedef struct {
    const uint8_t *data;
    size_t size;
    bool cut_off;
} reader;

static uint8_t byte_at(reader *payload, size_t at)
{
    if (at >= payload->size) {
        payload->cut_off = true;
        return 0;
    }
    return payload->data[at];
}

static bool h264_nal_starts(uint8_t nal_header, uint8_t first_byte)
{
    uint8_t nal_type = nal_header & 0x1F;
    /* H.264 §7.3.3: first_mb_in_slice is Exp-Golomb coded, a leading 1 bit says macroblock 0. */
    return nal_type == H264_SPS || (nal_type == H264_IDR && (first_byte & 0x80) != 0);
}

static bool h264_aggregate_starts(reader *payload)
{
    size_t at = 1;
    while (at + 4 <= payload->size) {
        size_t size = (size_t)byte_at(payload, at) << 8 | byte_at(payload, at + 1);
        if (size >= 2 && h264_nal_starts(byte_at(payload, at + 2), byte_at(payload, at + 3)))
            return true;
        at += 2 + size;
    }
    return false;
}

/* RFC 6184 §5: a single NAL unit, an aggregate (STAP-A) or the first fragment (FU-A). */
static bool h264(reader *payload)
{
    uint8_t first = byte_at(payload, 0);
    uint8_t nal_type = first & 0x1F;
    if (nal_type == H264_STAP_A)
        return h264_aggregate_starts(payload);
    uint8_t second = byte_at(payload, 1);
    if (nal_type == H264_FU_A) {
        bool is_first_fragment = (second & 0x80) != 0;
        return is_first_fragment && h264_nal_starts(second, byte_at(payload, 2));
    }
    return h264_nal_starts(first, second);
}

/* RFC 7741 §4.2: start of partition 0, and §4.3: the inverse key frame flag is clear. */
static bool vp8(reader *payload)
{
    uint8_t descriptor = byte_at(payload, 0);
    bool is_first = (descriptor & 0x10) != 0 && (descriptor & 0x07) == 0;
    size_t at = 1;
    if (descriptor & 0x80) { /* X */
        uint8_t extensions = byte_at(payload, 1);
        at = 2;
        if (extensions & 0x80) /* I: 7 or 15 bits of picture id */
            at += byte_at(payload, at) & 0x80 ? 2 : 1;
        if (extensions & 0x40) /* L */
            at += 1;
        if (extensions & 0x30) /* T or K share a byte */
            at += 1;
    }
    return is_first && (byte_at(payload, at) & 0x01) == 0;
}

static size_t vp9_after_scalability_structure(reader *payload, size_t at)
{
    uint8_t structure = byte_at(payload, at);
    at += 1;
    if (structure & 0x10) /* Y: width and height of each spatial layer */
        at += 4 * (size_t)((structure >> 5) + 1);
    if (structure & 0x08) { /* G: a picture group */
        uint8_t pictures = byte_at(payload, at);
        at += 1;
        for (uint8_t picture = 0; picture < pictures && !payload->cut_off; picture++)
            at += 1 + (size_t)(byte_at(payload, at) >> 2 & 0x03);
    }
    return at;
}

/* The uncompressed header (VP9 bitstream §6.2): not a repeated frame, and frame_type 0. */
static bool vp9_is_key_frame(uint8_t first_byte)
{
    if (first_byte >> 6 != 2)
        return false;
    bool is_profile_3 = (first_byte & 0x30) == 0x30;
    unsigned flags = (unsigned)first_byte << (is_profile_3 ? 5 : 4); /* profile 3: a reserved bit */
    return (flags & 0x80) == 0 && (flags & 0x40) == 0; /* show_existing_frame, frame_type */
}

/* RFC 9628 §4.2: begins a frame of the lowest spatial layer that is predicted from none. */
static bool vp9(reader *payload)
{
    uint8_t descriptor = byte_at(payload, 0);
    bool is_inter_predicted = (descriptor & 0x40) != 0;
    bool begins_frame = (descriptor & 0x08) != 0;
    if (is_inter_predicted || !begins_frame)
        return false;
    size_t at = 1;
    if (descriptor & 0x80) /* I: 7 or 15 bits of picture id */
        at += byte_at(payload, at) & 0x80 ? 2 : 1;
    if (descriptor & 0x20) { /* L: layer indices */
        uint8_t spatial_layer = byte_at(payload, at) >> 1 & 0x07;
        if (spatial_layer != 0)
            return false;
        at += descriptor & 0x10 ? 1 : 2; /* TL0PICIDX only in non-flexible mode */
    }
    if (descriptor & 0x02) /* V */
        at = vp9_after_scalability_structure(payload, at);
    return vp9_is_key_frame(byte_at(payload, at));
}

static uint64_t leb128(reader *payload, size_t *at)
{
    uint64_t value = 0;
    for (int shift = 0; shift < LEB128_MAX_BITS; shift += 7) {
        uint8_t byte = byte_at(payload, *at);
        *at += 1;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

/* AV1 RTP §4.4: N begins a coded video sequence; it holds its sequence header first. */
static bool av1(reader *payload)
{
    uint8_t aggregation = byte_at(payload, 0);
    bool begins_sequence = (aggregation & 0x08) != 0;
    bool continues_obu = (aggregation & 0x80) != 0;
    if (!begins_sequence || continues_obu)
        return false;
    unsigned elements = aggregation >> 4 & 0x03; /* W; 0: every element carries its length */
    size_t at = 1;
    for (unsigned element = 1; at < payload->size && !payload->cut_off; element++) {
        uint64_t size = element == elements ? payload->size - at : leb128(payload, &at);
        if (size) {
            uint8_t obu_type = byte_at(payload, at) >> 3 & 0x0F;
            if (obu_type != AV1_TEMPORAL_DELIMITER)
                return obu_type == AV1_SEQUENCE_HEADER;
        }
        at += size; /* below 2^56, so it can't wrap */
    }
    return false;
}

sl_codec sl_codec_named(const char *name)
{
    static const struct {
        const char *name;
        sl_codec codec;
    } codecs[] = {
        {"h264", SL_CODEC_H264},
        {"vp8", SL_CODEC_VP8},
        {"vp9", SL_CODEC_VP9},
        {"av1", SL_CODEC_AV1},
    };
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (strcmp(codecs[i].name, name) == 0)
            return codecs[i].codec;
    return SL_CODEC_OTHER;
}

bool sl_starts_keyframe(sl_codec codec, const uint8_t *data, size_t size)
{
    static bool (*const detectors[])(reader *) = {
        [SL_CODEC_H264] = h264,
        [SL_CODEC_VP8] = vp8,
        [SL_CODEC_VP9] = vp9,
        [SL_CODEC_AV1] = av1,
    };
    if (codec == SL_CODEC_OTHER)
        return true;
    reader payload = {data, size, false};
    bool starts = detectors[codec](&payload);
    return starts && !payload.cut_off;
}
