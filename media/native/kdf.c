#include "kdf.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

bool sl_kdf_derive(const uint8_t *master_key, size_t key_size, const uint8_t *master_salt,
                   size_t salt_size, uint8_t label, uint8_t *out, size_t size)
{
    /* RFC 3711 §4.3.3: the stream of AES in counter mode from (salt XOR label << 48) << 16.
     * RFC 7714 §11: the shorter salt of GCM is padded with zeros on its right. */
    uint8_t counter[16] = {0};
    memcpy(counter, master_salt, salt_size);
    counter[7] ^= label;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (cipher == NULL)
        return false;
    const EVP_CIPHER *mode = key_size == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    int written;
    memset(out, 0, size);
    bool derived = EVP_EncryptInit_ex2(cipher, mode, master_key, counter, NULL) == 1 &&
                   EVP_EncryptUpdate(cipher, out, &written, out, (int)size) == 1;
    EVP_CIPHER_CTX_free(cipher);
    OPENSSL_cleanse(counter, sizeof counter);
    return derived;
}
