/* Where keyframes start in RTP payloads, by codec: media/wire/keyframe.py is the specification. */
#ifndef SL_KEYFRAME_H
#define SL_KEYFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SL_CODEC_OTHER, /* audio, and whatever else has no keyframes */
    SL_CODEC_H264,
    SL_CODEC_VP8,
    SL_CODEC_VP9,
    SL_CODEC_AV1,
} sl_codec;

/* `name` is lower case. */
sl_codec sl_codec_named(const char *name);

/* Whether `payload` is the first of a keyframe; true for codecs without keyframes. */
bool sl_starts_keyframe(sl_codec codec, const uint8_t *payload, size_t size);

#endif
