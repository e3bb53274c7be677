#include "srtp.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kdf.h"
#include "replay.h"
#include "rtp.h"
#include "transform.h"

enum {
    RTCP_HEADER_SIZE = 8,   /* the first header and the SSRC stay readable */
    RTCP_INDEX_SIZE = 4,
    MAX_PACKET_SIZE = 65535,
};

static const uint32_t RTCP_ENCRYPTED = 0x80000000; /* the E flag, in front of the index */
static const uint32_t RTCP_MAX_INDEX = 0x7FFFFFFF;

struct sl_srtp {
    sl_transform rtp_out; /* first, so that what each packet needs shares a cache line */
    atomic_uint references;
    sl_transform rtcp_out;
    uint32_t rtcp_index;
    sl_transform rtp_in, rtcp_in;
    sl_replays rtp_replays, rtcp_replays;
};

size_t sl_srtp_material_size(sl_srtp_profile profile)
{
    return sl_transform_key_size(profile) + sl_transform_salt_size(profile);
}

static sl_srtp *new_srtp(void)
{
    sl_srtp *srtp = calloc(1, sizeof *srtp);
    if (srtp != NULL)
        atomic_init(&srtp->references, 1);
    return srtp;
}

sl_srtp *sl_srtp_new(sl_srtp_profile profile, const uint8_t *local, const uint8_t *remote)
{
    sl_srtp *srtp = new_srtp();
    if (srtp == NULL ||
        (sl_transform_derive(&srtp->rtp_out, profile, local, SL_LABELS_RTP, SL_SEALS_PACKETS) &&
         sl_transform_derive(&srtp->rtcp_out, profile, local, SL_LABELS_RTCP, SL_SEALS) &&
         sl_transform_derive(&srtp->rtp_in, profile, remote, SL_LABELS_RTP, SL_OPENS) &&
         sl_transform_derive(&srtp->rtcp_in, profile, remote, SL_LABELS_RTCP, SL_OPENS)))
        return srtp;
    sl_srtp_release(srtp);
    return NULL;
}

sl_srtp *sl_srtp_new_derived(sl_srtp_profile profile, const sl_session_keys *keys, bool by_openssl)
{
    sl_transform_use seals = by_openssl ? SL_SEALS : SL_SEALS_PACKETS;
    sl_srtp *srtp = new_srtp();
    if (srtp == NULL || (sl_transform_init(&srtp->rtp_out, profile, keys, seals) &&
                         sl_transform_init(&srtp->rtcp_out, profile, keys, SL_SEALS) &&
                         sl_transform_init(&srtp->rtp_in, profile, keys, SL_OPENS) &&
                         sl_transform_init(&srtp->rtcp_in, profile, keys, SL_OPENS)))
        return srtp;
    sl_srtp_release(srtp);
    return NULL;
}

sl_srtp *sl_srtp_retain(sl_srtp *srtp)
{
    atomic_fetch_add_explicit(&srtp->references, 1, memory_order_relaxed);
    return srtp;
}

void sl_srtp_release(sl_srtp *srtp)
{
    if (srtp == NULL ||
        atomic_fetch_sub_explicit(&srtp->references, 1, memory_order_acq_rel) != 1)
        return;
    sl_transform_clear(&srtp->rtp_out);
    sl_transform_clear(&srtp->rtcp_out);
    sl_transform_clear(&srtp->rtp_in);
    sl_transform_clear(&srtp->rtcp_in);
    sl_replays_clear(&srtp->rtp_replays);
    sl_replays_clear(&srtp->rtcp_replays);
    free(srtp);
}

size_t sl_srtp_rtp_overhead(const sl_srtp *srtp)
{
    return srtp->rtp_out.tag_size;
}

/* RFC 3711 §4.2: the MAC covers the packet and the rollover counter, or the packet alone. */
static void mac_of(const sl_transform *transform, const uint8_t *packet, size_t size,
                   const uint8_t *rollover, uint8_t out[SL_HMAC_SHA1_SIZE])
{
    sl_hmac_sha1_of(&transform->mac, packet, size, rollover, rollover ? 4 : 0, out);
}

/* ---- RTP out ---- */

/* RFC 3711 §3.3: encrypted, then authenticated together with the header. */
static bool sign_rtp(sl_transform *transform, uint8_t *packet, size_t header_size,
                     const uint8_t *payload, size_t payload_size, uint64_t index)
{
    uint8_t *text = packet + header_size, rollover[4], mac[SL_HMAC_SHA1_SIZE];
    if (!sl_transform_start(transform, sl_read32(packet + 8), index) ||
        !sl_transform_crypt(transform, payload, payload_size, text))
        return false;
    sl_write32(rollover, (uint32_t)(index >> 16));
    mac_of(transform, packet, header_size + payload_size, rollover, mac);
    memcpy(text + payload_size, mac, transform->tag_size);
    return true;
}

int sl_srtp_protect_rtp(sl_srtp *srtp, uint8_t *out, size_t header_size, const uint8_t *payload,
                        size_t payload_size, uint64_t index)
{
    sl_transform *transform = &srtp->rtp_out;
    uint8_t *text = out + header_size, *tag = text + payload_size;
    /* RFC 7714 §8.2: the header is associated data. */
    bool done = transform->is_aead
                    ? sl_transform_seal_packet(transform, sl_read32(out + 8), index, out,
                                               header_size, payload, payload_size, text, tag)
                    : sign_rtp(transform, out, header_size, payload, payload_size, index);
    return done ? (int)(header_size + payload_size + transform->tag_size) : SL_SRTP_FAILED;
}

void sl_srtp_prefetch(const sl_srtp *srtp)
{
    __builtin_prefetch(&srtp->rtp_out);
}

void sl_srtp_prefetch_keys(const sl_srtp *srtp)
{
    const char *at = (const char *)srtp->rtp_out.gcm;
    for (size_t offset = 0; at != NULL && offset < sizeof *srtp->rtp_out.gcm; offset += 64)
        __builtin_prefetch(at + offset);
}

/* ---- RTCP out ---- */

/* RFC 7714 §9.2: header, text, tag, E and index; the header and the last word are associated. */
static bool seal_rtcp(sl_transform *transform, uint8_t *packet, size_t size, const uint8_t *trailer)
{
    uint8_t *text = packet + RTCP_HEADER_SIZE, *tag = packet + size;
    if (!sl_transform_associate(transform, packet, RTCP_HEADER_SIZE) ||
        !sl_transform_associate(transform, trailer, RTCP_INDEX_SIZE) ||
        !sl_transform_crypt(transform, text, size - RTCP_HEADER_SIZE, text) ||
        !sl_transform_seal(transform, tag))
        return false;
    memcpy(tag + transform->tag_size, trailer, RTCP_INDEX_SIZE);
    return true;
}

/* RFC 3711 §3.4: header, text, E and index, tag. */
static bool sign_rtcp(sl_transform *transform, uint8_t *packet, size_t size, const uint8_t *trailer)
{
    uint8_t *text = packet + RTCP_HEADER_SIZE, mac[SL_HMAC_SHA1_SIZE];
    if (!sl_transform_crypt(transform, text, size - RTCP_HEADER_SIZE, text))
        return false;
    memcpy(packet + size, trailer, RTCP_INDEX_SIZE);
    mac_of(transform, packet, size + RTCP_INDEX_SIZE, NULL, mac);
    memcpy(packet + size + RTCP_INDEX_SIZE, mac, transform->tag_size);
    return true;
}

int sl_srtp_protect_rtcp(sl_srtp *srtp, uint8_t *packet, size_t size, size_t capacity)
{
    sl_transform *transform = &srtp->rtcp_out;
    size_t protected_size = size + transform->tag_size + RTCP_INDEX_SIZE;
    if (size < RTCP_HEADER_SIZE || size > MAX_PACKET_SIZE)
        return SL_SRTP_MALFORMED;
    if (protected_size > capacity || srtp->rtcp_index == RTCP_MAX_INDEX)
        return SL_SRTP_FAILED;
    uint32_t index = ++srtp->rtcp_index;
    uint8_t trailer[RTCP_INDEX_SIZE];
    sl_write32(trailer, RTCP_ENCRYPTED | index);
    if (!sl_transform_start(transform, sl_read32(packet + 4), index))
        return SL_SRTP_FAILED;
    bool done = transform->is_aead ? seal_rtcp(transform, packet, size, trailer)
                                   : sign_rtcp(transform, packet, size, trailer);
    return done ? (int)protected_size : SL_SRTP_FAILED;
}

/* ---- RTP in ---- */

static bool open_rtp(sl_transform *transform, uint8_t *packet, size_t header_size, size_t size)
{
    uint8_t *text = packet + header_size;
    return sl_transform_associate(transform, packet, header_size) &&
           sl_transform_crypt(transform, text, size - header_size, text) &&
           sl_transform_verify(transform, packet + size);
}

static bool check_rtp(sl_transform *transform, uint8_t *packet, size_t header_size, size_t size,
                      uint64_t index)
{
    uint8_t *text = packet + header_size, rollover[4], mac[SL_HMAC_SHA1_SIZE];
    sl_write32(rollover, (uint32_t)(index >> 16));
    mac_of(transform, packet, size, rollover, mac);
    return CRYPTO_memcmp(mac, packet + size, transform->tag_size) == 0 &&
           sl_transform_crypt(transform, text, size - header_size, text);
}

/* Notes an authentic packet; its SSRC may be new. */
static int note(sl_replays *replays, sl_replay *replay, uint32_t ssrc, uint64_t index, size_t size)
{
    if (replay == NULL && (replay = sl_replays_add(replays, ssrc)) == NULL)
        return SL_SRTP_FAILED;
    sl_replay_note(replay, index);
    return (int)size;
}

/* The bytes before the encrypted part, or 0: not what RTP looks like. */
static size_t rtp_header_size(const uint8_t *packet, size_t size)
{
    if (size < SL_RTP_HEADER_SIZE || packet[0] >> 6 != 2)
        return 0;
    size_t header_size = SL_RTP_HEADER_SIZE + 4u * (packet[0] & 0x0F);
    if (packet[0] & 0x10) {
        if (size < header_size + SL_RTP_EXTENSION_HEADER_SIZE)
            return 0;
        header_size += SL_RTP_EXTENSION_HEADER_SIZE + 4u * sl_read16(packet + header_size + 2);
    }
    return header_size <= size ? header_size : 0;
}

int sl_srtp_unprotect_rtp(sl_srtp *srtp, uint8_t *packet, size_t size)
{
    sl_transform *transform = &srtp->rtp_in;
    if (size < transform->tag_size || size > MAX_PACKET_SIZE)
        return SL_SRTP_MALFORMED;
    size -= transform->tag_size;
    size_t header_size = rtp_header_size(packet, size);
    if (header_size == 0)
        return SL_SRTP_MALFORMED;
    uint32_t ssrc = sl_read32(packet + 8);
    sl_replay *replay = sl_replays_find(&srtp->rtp_replays, ssrc);
    if (replay == NULL && sl_replays_full(&srtp->rtp_replays))
        return SL_SRTP_TOO_MANY_SSRCS;
    uint64_t index = sl_replay_index(replay, sl_read16(packet + 2));
    if (!sl_replay_is_new(replay, index))
        return SL_SRTP_REPLAYED;
    if (!sl_transform_start(transform, ssrc, index))
        return SL_SRTP_FAILED;
    bool authentic = transform->is_aead ? open_rtp(transform, packet, header_size, size)
                                        : check_rtp(transform, packet, header_size, size, index);
    return authentic ? note(&srtp->rtp_replays, replay, ssrc, index, size) : SL_SRTP_FORGED;
}

/* ---- RTCP in ---- */

/* RFC 7714 §9.2. */
static bool open_rtcp(sl_transform *transform, uint8_t *packet, size_t size)
{
    const uint8_t *tag = packet + size, *trailer = tag + transform->tag_size;
    uint8_t *text = packet + RTCP_HEADER_SIZE;
    return sl_transform_associate(transform, packet, RTCP_HEADER_SIZE) &&
           sl_transform_associate(transform, trailer, RTCP_INDEX_SIZE) &&
           sl_transform_crypt(transform, text, size - RTCP_HEADER_SIZE, text) &&
           sl_transform_verify(transform, tag);
}

/* RFC 3711 §3.4. */
static bool check_rtcp(sl_transform *transform, uint8_t *packet, size_t size)
{
    uint8_t *text = packet + RTCP_HEADER_SIZE, mac[SL_HMAC_SHA1_SIZE];
    mac_of(transform, packet, size + RTCP_INDEX_SIZE, NULL, mac);
    return CRYPTO_memcmp(mac, packet + size + RTCP_INDEX_SIZE, transform->tag_size) == 0 &&
           sl_transform_crypt(transform, text, size - RTCP_HEADER_SIZE, text);
}

int sl_srtp_unprotect_rtcp(sl_srtp *srtp, uint8_t *packet, size_t size)
{
    sl_transform *transform = &srtp->rtcp_in;
    size_t added = transform->tag_size + (size_t)RTCP_INDEX_SIZE;
    if (size < RTCP_HEADER_SIZE + added || size > MAX_PACKET_SIZE || packet[0] >> 6 != 2)
        return SL_SRTP_MALFORMED;
    size -= added;
    uint32_t trailer = sl_read32(packet + size + (transform->is_aead ? transform->tag_size : 0));
    uint32_t ssrc = sl_read32(packet + 4), index = trailer & RTCP_MAX_INDEX;
    /* RFC 5764 §4.1.2: these profiles encrypt SRTCP. */
    if ((trailer & RTCP_ENCRYPTED) == 0)
        return SL_SRTP_MALFORMED;
    sl_replay *replay = sl_replays_find(&srtp->rtcp_replays, ssrc);
    if (replay == NULL && sl_replays_full(&srtp->rtcp_replays))
        return SL_SRTP_TOO_MANY_SSRCS;
    if (!sl_replay_is_new(replay, index))
        return SL_SRTP_REPLAYED;
    if (!sl_transform_start(transform, ssrc, index))
        return SL_SRTP_FAILED;
    bool authentic = transform->is_aead ? open_rtcp(transform, packet, size)
                                        : check_rtcp(transform, packet, size);
    return authentic ? note(&srtp->rtcp_replays, replay, ssrc, index, size) : SL_SRTP_FORGED;
}
