/* One RTP packet of a publisher on its way through the relay: media.relay.tracks.RelayPacket in C.
 *
 * It owns nothing. Payload and extension values lie where the ingress or the cache has them and are
 * valid for the call they are given to.
 */
#ifndef SL_PACKET_H
#define SL_PACKET_H

#include <stdint.h>

enum { SL_AUDIO = 0, SL_VIDEO = 1, SL_KINDS = 2 };

/* media.wire.extensions.Extension.number; a viewer's ids are an array indexed by these. */
enum {
    SL_EXTENSION_MID = 0,
    SL_EXTENSION_ABS_SEND_TIME = 1,
    SL_EXTENSION_TRANSPORT_SEQUENCE = 2,
    SL_EXTENSION_NUMBERS = 16,
};

enum { SL_PACKET_MAX_EXTENSIONS = 8 };

typedef struct {
    uint8_t number; /* below SL_EXTENSION_NUMBERS */
    uint8_t size;
    const uint8_t *value;
} sl_extension;

typedef struct {
    int64_t sequence; /* the relay's own, never wraps */
    uint32_t timestamp;
    uint8_t kind; /* SL_AUDIO or SL_VIDEO */
    uint8_t marker;
    uint8_t keyframe; /* a receiver can begin here: the start of a keyframe, every audio packet */
    uint8_t extension_count;
    uint16_t payload_size;
    const uint8_t *payload;
    sl_extension extensions[SL_PACKET_MAX_EXTENSIONS]; /* pass-through ones, publisher's order */
} sl_packet;

#endif
