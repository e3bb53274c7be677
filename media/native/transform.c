#include "transform.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kdf.h"


typedef struct {
    const char *cipher;
    uint8_t key_size, salt_size, tag_size;
    bool is_aead;
} profile_parameters;

static const profile_parameters parameters[SL_SRTP_PROFILES] = {
    [SL_AEAD_AES_128_GCM] = {"AES-128-GCM", 16, 12, 16, true},
    [SL_AEAD_AES_256_GCM] = {"AES-256-GCM", 32, 12, 16, true},
    [SL_AES128_CM_SHA1_80] = {"AES-128-CTR", 16, 14, 10, false},
};

/* Fetched once for the process and never changed: a fetch costs more than a packet. */
static EVP_CIPHER *ciphers[SL_SRTP_PROFILES];
static pthread_once_t ciphers_fetched = PTHREAD_ONCE_INIT;

static void fetch_ciphers(void)
{
    for (int profile = 0; profile < SL_SRTP_PROFILES; profile++)
        ciphers[profile] = EVP_CIPHER_fetch(NULL, parameters[profile].cipher, NULL);
}

size_t sl_transform_key_size(sl_srtp_profile profile)
{
    return parameters[profile].key_size;
}

size_t sl_transform_salt_size(sl_srtp_profile profile)
{
    return parameters[profile].salt_size;
}

static bool derive(sl_srtp_profile profile, const uint8_t *material, uint8_t label, uint8_t *out,
                   size_t size)
{
    const profile_parameters *p = &parameters[profile];
    return sl_kdf_derive(material, p->key_size, material + p->key_size, p->salt_size, label, out,
                         size);
}

static void speed_up(sl_transform *transform, const uint8_t *key, size_t key_size);

static bool init_cipher(sl_transform *transform, sl_srtp_profile profile, const uint8_t *key,
                        bool encrypts)
{
    /* Counter mode decrypts by encrypting. */
    int direction = encrypts || !transform->is_aead;
    transform->cipher = EVP_CIPHER_CTX_new();
    return transform->cipher != NULL && ciphers[profile] != NULL &&
           EVP_CipherInit_ex2(transform->cipher, ciphers[profile], key, NULL, direction, NULL) == 1;
}

bool sl_transform_init(sl_transform *transform, sl_srtp_profile profile,
                       const sl_session_keys *keys, sl_transform_use use)
{
    const profile_parameters *p = &parameters[profile];
    memset(transform, 0, sizeof *transform);
    transform->is_aead = p->is_aead;
    transform->tag_size = p->tag_size;
    memcpy(transform->salt, keys->salt, p->salt_size);
    if (!p->is_aead)
        sl_hmac_sha1_init(&transform->mac, keys->mac_key);
    pthread_once(&ciphers_fetched, fetch_ciphers);
    if (!init_cipher(transform, profile, keys->key, use != SL_OPENS)) {
        sl_transform_clear(transform);
        return false;
    }
    if (p->is_aead && use == SL_SEALS_PACKETS && sl_gcm_is_there())
        speed_up(transform, keys->key, p->key_size);
    return true;
}

bool sl_transform_derive(sl_transform *transform, sl_srtp_profile profile, const uint8_t *material,
                         uint8_t labels, sl_transform_use use)
{
    const profile_parameters *p = &parameters[profile];
    sl_session_keys keys;
    bool made = derive(profile, material, labels + SL_LABEL_ENCRYPTION, keys.key, p->key_size) &&
                derive(profile, material, labels + SL_LABEL_AUTHENTICATION, keys.mac_key,
                       sizeof keys.mac_key) &&
                derive(profile, material, labels + SL_LABEL_SALT, keys.salt, p->salt_size) &&
                sl_transform_init(transform, profile, &keys, use);
    OPENSSL_cleanse(&keys, sizeof keys);
    return made;
}

void sl_transform_clear(sl_transform *transform)
{
    EVP_CIPHER_CTX_free(transform->cipher); /* which cleanses its keys */
    if (transform->gcm != NULL)
        OPENSSL_cleanse(transform->gcm, sizeof *transform->gcm);
    free(transform->gcm);
    OPENSSL_cleanse(transform, sizeof *transform);
}

static void write_iv(const sl_transform *transform, uint32_t ssrc, uint64_t index, uint8_t iv[16])
{
    /* RFC 7714 §8.1, §9.1: 00 00 SSRC index48, XOR the salt.
     * RFC 3711 §4.1.1: 00 00 00 00 SSRC index48 00 00, XOR the salt. */
    memcpy(iv, transform->salt, 16);
    uint8_t *at = iv + (transform->is_aead ? 2 : 4);
    for (int byte = 0; byte < 4; byte++)
        at[byte] ^= (uint8_t)(ssrc >> (24 - 8 * byte));
    for (int byte = 0; byte < 6; byte++)
        at[4 + byte] ^= (uint8_t)(index >> (40 - 8 * byte));
}

bool sl_transform_start(sl_transform *transform, uint32_t ssrc, uint64_t index)
{
    uint8_t iv[16];
    write_iv(transform, ssrc, index, iv);
    return EVP_CipherInit_ex2(transform->cipher, NULL, NULL, iv, -1, NULL) == 1;
}

bool sl_transform_associate(sl_transform *transform, const uint8_t *data, size_t size)
{
    int length;
    return EVP_CipherUpdate(transform->cipher, NULL, &length, data, (int)size) == 1;
}

bool sl_transform_crypt(sl_transform *transform, const uint8_t *in, size_t size, uint8_t *out)
{
    int length;
    return size == 0 || EVP_CipherUpdate(transform->cipher, out, &length, in, (int)size) == 1;
}

bool sl_transform_seal(sl_transform *transform, uint8_t *tag)
{
    int length;
    OSSL_PARAM wanted[] = {
        {OSSL_CIPHER_PARAM_AEAD_TAG, OSSL_PARAM_OCTET_STRING, tag, SL_SRTP_MAX_TAG, 0},
        OSSL_PARAM_END,
    };
    return EVP_CipherFinal_ex(transform->cipher, tag, &length) == 1 &&
           EVP_CIPHER_CTX_get_params(transform->cipher, wanted) == 1;
}

bool sl_transform_verify(sl_transform *transform, const uint8_t *tag)
{
    int length;
    uint8_t expected[SL_SRTP_MAX_TAG], nothing[16];
    memcpy(expected, tag, sizeof expected);
    OSSL_PARAM given[] = {
        {OSSL_CIPHER_PARAM_AEAD_TAG, OSSL_PARAM_OCTET_STRING, expected, sizeof expected, 0},
        OSSL_PARAM_END,
    };
    return EVP_CIPHER_CTX_set_params(transform->cipher, given) == 1 &&
           EVP_CipherFinal_ex(transform->cipher, nothing, &length) == 1;
}

/* ---- whole packets ---- */

static bool seal_by_openssl(sl_transform *transform, uint32_t ssrc, uint64_t index,
                            const uint8_t *aad, size_t aad_size, const uint8_t *in, size_t size,
                            uint8_t *out, uint8_t *tag)
{
    return sl_transform_start(transform, ssrc, index) &&
           sl_transform_associate(transform, aad, aad_size) &&
           sl_transform_crypt(transform, in, size, out) && sl_transform_seal(transform, tag);
}

bool sl_transform_seal_packet(sl_transform *transform, uint32_t ssrc, uint64_t index,
                              const uint8_t *aad, size_t aad_size, const uint8_t *in, size_t size,
                              uint8_t *out, uint8_t *tag)
{
    if (transform->gcm == NULL)
        return seal_by_openssl(transform, ssrc, index, aad, aad_size, in, size, out, tag);
    uint8_t iv[16];
    write_iv(transform, ssrc, index, iv);
    sl_gcm_seal(transform->gcm, iv, aad, aad_size, in, size, out, tag);
    return true;
}

/* Whether both ways give the same bytes for a packet with a stride, a rest and a part of a block.
 * What comes of it goes nowhere. */
static bool agree(sl_transform *transform)
{
    enum { HEADER = 20, TEXT = 411 };
    uint8_t sample[HEADER + TEXT] = {0}, first[TEXT + SL_SRTP_MAX_TAG],
            second[TEXT + SL_SRTP_MAX_TAG];
    sl_gcm_key *gcm = transform->gcm;
    bool sealed = sl_transform_seal_packet(transform, 0, 0, sample, HEADER, sample + HEADER, TEXT,
                                           first, first + TEXT);
    transform->gcm = NULL;
    sealed = sealed && sl_transform_seal_packet(transform, 0, 0, sample, HEADER, sample + HEADER,
                                                TEXT, second, second + TEXT);
    transform->gcm = gcm;
    return sealed && memcmp(first, second, sizeof first) == 0;
}

/* Gives a transform the processor's own instructions and takes OpenSSL's context from it; leaves it
 * as it is where the two differ. */
static void speed_up(sl_transform *transform, const uint8_t *key, size_t key_size)
{
    size_t size = (sizeof(sl_gcm_key) + SL_GCM_ALIGNMENT - 1) / SL_GCM_ALIGNMENT * SL_GCM_ALIGNMENT;
    transform->gcm = aligned_alloc(SL_GCM_ALIGNMENT, size);
    if (transform->gcm == NULL)
        return;
    sl_gcm_init(transform->gcm, key, key_size);
    if (agree(transform)) {
        EVP_CIPHER_CTX_free(transform->cipher);
        transform->cipher = NULL;
    } else {
        OPENSSL_cleanse(transform->gcm, sizeof *transform->gcm);
        free(transform->gcm);
        transform->gcm = NULL;
    }
}
