/* Session keys from master keys (RFC 3711 §4.3): media.relay.protection.derive in C. */
#ifndef SL_KDF_H
#define SL_KDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 3711 §4.3.2: what a key is for. SRTCP's labels are SRTP's plus three. */
enum {
    SL_LABEL_ENCRYPTION = 0,
    SL_LABEL_AUTHENTICATION = 1,
    SL_LABEL_SALT = 2,
    SL_LABELS_RTP = 0,
    SL_LABELS_RTCP = 3,
};

enum { SL_KDF_MAX_SALT = 14 };

/* Writes `size` bytes of the key with this label; master keys have 16 or 32 bytes, salts 14 at
 * most. false where OpenSSL refuses. */
bool sl_kdf_derive(const uint8_t *master_key, size_t key_size, const uint8_t *master_salt,
                   size_t salt_size, uint8_t label, uint8_t *out, size_t size);

#endif
