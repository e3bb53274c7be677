/* SRTP and SRTCP of one peer (RFC 3711, RFC 7714), both directions.
 *
 * media.relay.protection is the specification of what is sent, libsrtp's rules (as
 * media.transport.srtp.SrtpReceiver uses it) of what is taken.
 *
 * Contexts are made once a peer; a packet costs an IV. Threads: an `sl_srtp` has three owners that
 * share nothing that changes, so none of them locks:
 *   - protect_rtp                     who fans out
 *   - protect_rtcp                    who sends feedback
 *   - unprotect_rtp, unprotect_rtcp   who reads the socket
 * Each of these groups must be called by one thread at a time. retain and release are for any
 * thread; the last release cleanses the keys.
 */
#ifndef SL_SRTP_H
#define SL_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SL_AEAD_AES_128_GCM = 0,
    SL_AEAD_AES_256_GCM = 1,
    SL_AES128_CM_SHA1_80 = 2,
    SL_SRTP_PROFILES = 3,
} sl_srtp_profile;

enum {
    SL_SRTP_MAX_TAG = 16,
    SL_SRTP_MAX_RTCP_TRAILER = 20, /* tag, E flag and index */
    SL_SRTP_WINDOW = 1024,         /* packets that may come late and are told from replays */
    SL_SRTP_MAX_SSRCS = 32,        /* of a peer, each of RTP and RTCP; further ones are refused */
};

typedef enum {
    SL_SRTP_MALFORMED = -1,
    SL_SRTP_FORGED = -2,         /* the tag is not the peer's */
    SL_SRTP_REPLAYED = -3,       /* came before, or is too old to tell */
    SL_SRTP_TOO_MANY_SSRCS = -4,
    SL_SRTP_FAILED = -5, /* no memory or room, an index that is used up, or OpenSSL refused */
} sl_srtp_refusal;

typedef struct sl_srtp sl_srtp;

/* Master key followed by master salt. */
size_t sl_srtp_material_size(sl_srtp_profile profile);

/* The contexts of a peer with one reference; `local` protects what we send, `remote` what it sends,
 * sl_srtp_material_size(profile) bytes each. NULL where OpenSSL has no such cipher or no memory. */
sl_srtp *sl_srtp_new(sl_srtp_profile profile, const uint8_t *local, const uint8_t *remote);

/* Session keys, where they are not to be derived: known answers are given for them. */
typedef struct {
    uint8_t key[32], salt[14], mac_key[20];
} sl_session_keys;

/* The same for all directions; `by_openssl` where RTP is not to be sealed by gcm.h. */
sl_srtp *sl_srtp_new_derived(sl_srtp_profile profile, const sl_session_keys *keys, bool by_openssl);

sl_srtp *sl_srtp_retain(sl_srtp *srtp);
void sl_srtp_release(sl_srtp *srtp); /* NULL is nothing to release */

/* Bytes that protect_rtp adds. */
size_t sl_srtp_rtp_overhead(const sl_srtp *srtp);

/* Protects the packet whose header lies at `out` and whose payload lies anywhere (also behind the
 * header, where the result is written). `index` is the extended sequence number of 48 bits: one
 * index of an SSRC must never be given to two different packets. Room for header, payload and
 * SL_SRTP_MAX_TAG is the caller's care. The packet's size, or SL_SRTP_FAILED. */
int sl_srtp_protect_rtp(sl_srtp *srtp, uint8_t *out, size_t header_size, const uint8_t *payload,
                        size_t payload_size, uint64_t index);

/* Ask the processor for what protect_rtp will need: first one, and when that is there, the other. */
void sl_srtp_prefetch(const sl_srtp *srtp);
void sl_srtp_prefetch_keys(const sl_srtp *srtp);

/* Protects a compound RTCP packet in place. The new size, or a refusal. */
int sl_srtp_protect_rtcp(sl_srtp *srtp, uint8_t *packet, size_t size, size_t capacity);

/* Decrypts in place; the plain size, or a refusal (which leaves the buffer undefined). */
int sl_srtp_unprotect_rtp(sl_srtp *srtp, uint8_t *packet, size_t size);
int sl_srtp_unprotect_rtcp(sl_srtp *srtp, uint8_t *packet, size_t size);

#endif
