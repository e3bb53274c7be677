/* The encryption and authentication of one direction of SRTP or SRTCP: a cipher context that is
 * made once and given an IV for each packet, and the keyed MAC where the profile has one.
 */
#ifndef SL_TRANSFORM_H
#define SL_TRANSFORM_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gcm.h"
#include "hmac_sha1.h"
#include "srtp.h"

typedef struct {
    EVP_CIPHER_CTX *cipher;
    sl_gcm_key *gcm; /* instead of `cipher` where the processor seals by itself; else NULL */
    bool is_aead;
    uint8_t tag_size;
    uint8_t salt[16]; /* on the right, zeros */
    sl_hmac_sha1 mac; /* AES128_CM_SHA1_80 only */
} sl_transform;

/* What a transform is for. */
typedef enum {
    SL_OPENS,
    SL_SEALS,
    SL_SEALS_PACKETS, /* each in one call, where the profile is an AEAD */
} sl_transform_use;

size_t sl_transform_key_size(sl_srtp_profile profile);
size_t sl_transform_salt_size(sl_srtp_profile profile);

/* With session keys, or with those that are derived from master key and salt by the labels from
 * `labels` on (kdf.h). false: nothing was made. */
bool sl_transform_init(sl_transform *transform, sl_srtp_profile profile,
                       const sl_session_keys *keys, sl_transform_use use);
bool sl_transform_derive(sl_transform *transform, sl_srtp_profile profile, const uint8_t *material,
                         uint8_t labels, sl_transform_use use);
void sl_transform_clear(sl_transform *transform);

/* Begins a packet; `index` has 48 bits (SRTP) or 31 (SRTCP). */
bool sl_transform_start(sl_transform *transform, uint32_t ssrc, uint64_t index);

/* AEAD: what is authenticated beside the text; before it. */
bool sl_transform_associate(sl_transform *transform, const uint8_t *data, size_t size);

/* Encrypts or decrypts; `out` may be `in`. */
bool sl_transform_crypt(sl_transform *transform, const uint8_t *in, size_t size, uint8_t *out);

/* AEAD: writes the tag, or tells whether it is the right one. Ends the packet. */
bool sl_transform_seal(sl_transform *transform, uint8_t *tag);
bool sl_transform_verify(sl_transform *transform, const uint8_t *tag);

/* AEAD: a whole packet in one call, with the processor's own instructions where it has them. All
 * that a transform for SL_SEALS_PACKETS can do. */
bool sl_transform_seal_packet(sl_transform *transform, uint32_t ssrc, uint64_t index,
                              const uint8_t *aad, size_t aad_size, const uint8_t *in, size_t size,
                              uint8_t *out, uint8_t *tag);

#endif
