#include "hmac_sha1.h"

#include <openssl/crypto.h>
#include <string.h>

static void absorb_key(SHA_CTX *hash, const uint8_t *key, uint8_t pad)
{
    uint8_t block[SHA_CBLOCK];
    memset(block, pad, sizeof block);
    for (size_t at = 0; at < SL_HMAC_SHA1_KEY_SIZE; at++)
        block[at] ^= key[at];
    SHA1_Init(hash);
    SHA1_Update(hash, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

void sl_hmac_sha1_init(sl_hmac_sha1 *mac, const uint8_t key[SL_HMAC_SHA1_KEY_SIZE])
{
    absorb_key(&mac->inner, key, 0x36);
    absorb_key(&mac->outer, key, 0x5C);
}

void sl_hmac_sha1_of(const sl_hmac_sha1 *mac, const uint8_t *message, size_t size,
                     const uint8_t *more, size_t more_size, uint8_t out[SL_HMAC_SHA1_SIZE])
{
    SHA_CTX hash = mac->inner;
    SHA1_Update(&hash, message, size);
    SHA1_Update(&hash, more, more_size);
    SHA1_Final(out, &hash);
    hash = mac->outer;
    SHA1_Update(&hash, out, SL_HMAC_SHA1_SIZE);
    SHA1_Final(out, &hash);
}
