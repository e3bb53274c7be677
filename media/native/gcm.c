#include "gcm.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

#define VECTOR __attribute__((target("aes,pclmul,avx512f,avx512bw,vaes,vpclmulqdq")))
#define INLINE VECTOR __attribute__((always_inline)) static inline

enum {
    BLOCK = 16,
    VECTOR_SIZE = 64,
    STRIDE_VECTORS = 4,
    STRIDE = STRIDE_VECTORS * VECTOR_SIZE,
    AES_128_ROUNDS = 10,
    AES_256_ROUNDS = 14,
};

/* What compilers' own tests do not know everywhere: leaf 7 of CPUID. */
static bool has_wide_aes(void)
{
    enum { VAES = 1 << 9, VPCLMULQDQ = 1 << 10 };
    unsigned a, b, c = 0, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & VAES) && (c & VPCLMULQDQ);
}

bool sl_gcm_is_there(void)
{
    /* These ask the operating system too, whether it keeps such registers. */
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") &&
           __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           has_wide_aes();
}

INLINE __m128i load(const void *at)
{
    return _mm_loadu_si128(at);
}

/* ---- AES (FIPS 197) ---- */

INLINE __m128i fold(__m128i key)
{
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    return _mm_xor_si128(key, _mm_slli_si128(key, 8));
}

#define NEXT_KEY(previous, source, constant, lane)                                                 \
    _mm_xor_si128(fold(previous),                                                                  \
                  _mm_shuffle_epi32(_mm_aeskeygenassist_si128(source, constant), lane))

VECTOR static void expand_128(__m128i *keys)
{
    keys[1] = NEXT_KEY(keys[0], keys[0], 0x01, 0xFF);
    keys[2] = NEXT_KEY(keys[1], keys[1], 0x02, 0xFF);
    keys[3] = NEXT_KEY(keys[2], keys[2], 0x04, 0xFF);
    keys[4] = NEXT_KEY(keys[3], keys[3], 0x08, 0xFF);
    keys[5] = NEXT_KEY(keys[4], keys[4], 0x10, 0xFF);
    keys[6] = NEXT_KEY(keys[5], keys[5], 0x20, 0xFF);
    keys[7] = NEXT_KEY(keys[6], keys[6], 0x40, 0xFF);
    keys[8] = NEXT_KEY(keys[7], keys[7], 0x80, 0xFF);
    keys[9] = NEXT_KEY(keys[8], keys[8], 0x1B, 0xFF);
    keys[10] = NEXT_KEY(keys[9], keys[9], 0x36, 0xFF);
}

#define NEXT_TWO_KEYS(keys, at, constant)                                                          \
    keys[at] = NEXT_KEY(keys[(at) - 2], keys[(at) - 1], constant, 0xFF);                           \
    keys[(at) + 1] = NEXT_KEY(keys[(at) - 1], keys[at], 0, 0xAA)

VECTOR static void expand_256(__m128i *keys)
{
    NEXT_TWO_KEYS(keys, 2, 0x01);
    NEXT_TWO_KEYS(keys, 4, 0x02);
    NEXT_TWO_KEYS(keys, 6, 0x04);
    NEXT_TWO_KEYS(keys, 8, 0x08);
    NEXT_TWO_KEYS(keys, 10, 0x10);
    NEXT_TWO_KEYS(keys, 12, 0x20);
    keys[14] = NEXT_KEY(keys[12], keys[13], 0x40, 0xFF);
}

/* `rounds` is key->rounds, as a constant wherever that makes a loop without branches. */
INLINE __m128i encrypt_block(const sl_gcm_key *key, int rounds, __m128i block)
{
    block = _mm_xor_si128(block, load(key->round_keys[0]));
    for (int round = 1; round < rounds; round++)
        block = _mm_aesenc_si128(block, load(key->round_keys[round]));
    return _mm_aesenclast_si128(block, load(key->round_keys[rounds]));
}

INLINE __m512i round_key(const sl_gcm_key *key, int round)
{
    return _mm512_broadcast_i32x4(load(key->round_keys[round]));
}

INLINE void encrypt_stride(const sl_gcm_key *key, int rounds, __m512i *blocks)
{
    for (int at = 0; at < STRIDE_VECTORS; at++)
        blocks[at] = _mm512_xor_si512(blocks[at], round_key(key, 0));
    for (int round = 1; round < rounds; round++)
        for (int at = 0; at < STRIDE_VECTORS; at++)
            blocks[at] = _mm512_aesenc_epi128(blocks[at], round_key(key, round));
    for (int at = 0; at < STRIDE_VECTORS; at++)
        blocks[at] = _mm512_aesenclast_epi128(blocks[at], round_key(key, rounds));
}

/* ---- GHASH (NIST SP 800-38D §6.4) ----
 *
 * Blocks are byte-swapped, so that they are polynomials with their bits reflected. A product of
 * two such has one factor x too many; the powers of H are kept divided by x for that. */

INLINE __m128i swapping(void)
{
    return _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE __m128i swapped(__m128i block)
{
    return _mm_shuffle_epi8(block, swapping());
}

INLINE __m512i all_swapped(__m512i blocks)
{
    return _mm512_shuffle_epi8(blocks, _mm512_broadcast_i32x4(swapping()));
}

/* Products of four blocks each, before they are added up and reduced. */
typedef struct {
    __m512i low, middle, high;
} products;

INLINE products no_products(void)
{
    return (products){_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
}

INLINE void multiply(products *sum, __m512i a, __m512i b)
{
    sum->low = _mm512_xor_si512(sum->low, _mm512_clmulepi64_epi128(a, b, 0x00));
    sum->middle = _mm512_xor_si512(sum->middle, _mm512_clmulepi64_epi128(a, b, 0x01));
    sum->middle = _mm512_xor_si512(sum->middle, _mm512_clmulepi64_epi128(a, b, 0x10));
    sum->high = _mm512_xor_si512(sum->high, _mm512_clmulepi64_epi128(a, b, 0x11));
}

INLINE __m128i added_up(__m512i lanes)
{
    __m256i halves = _mm256_xor_si256(_mm512_castsi512_si256(lanes),
                                      _mm512_extracti64x4_epi64(lanes, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

/* Takes 64 bits at a time off the low end: x^128 = x^7 + x^2 + x + 1, reflected. */
INLINE __m128i reduced(const products *sum)
{
    const __m128i polynomial = _mm_set_epi64x((long long)0xC200000000000000ULL, 1);
    __m128i low = added_up(sum->low), middle = added_up(sum->middle), high = added_up(sum->high);
    middle = _mm_xor_si128(middle, _mm_shuffle_epi32(low, 0x4E));
    middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(polynomial, low, 0x01));
    high = _mm_xor_si128(high, _mm_shuffle_epi32(middle, 0x4E));
    return _mm_xor_si128(high, _mm_clmulepi64_si128(polynomial, middle, 0x01));
}

/* The hash after `count` more blocks, a stride at most, in the order of memory; those that the last
 * vector has beyond them are zeros. */
INLINE __m128i hash_blocks(const sl_gcm_key *key, __m128i hash, const __m512i *blocks, size_t count)
{
    products sum = no_products();
    const uint8_t *powers = key->powers[SL_GCM_POWERS - count];
    /* The vector that the hash so far goes into comes last: the others need not wait for it. */
    for (size_t at = (BLOCK * count + VECTOR_SIZE - 1) / VECTOR_SIZE; at-- > 0;) {
        __m512i text = all_swapped(blocks[at]);
        if (at == 0)
            text = _mm512_xor_si512(text, _mm512_zextsi128_si512(hash));
        multiply(&sum, text, _mm512_loadu_si512(powers + VECTOR_SIZE * at));
    }
    return reduced(&sum);
}

INLINE __m128i product_of(__m128i a, __m128i b)
{
    products sum = no_products();
    multiply(&sum, _mm512_zextsi128_si512(a), _mm512_zextsi128_si512(b));
    return reduced(&sum);
}

/* ---- GCM ---- */

/* H in reflected order, divided by x (that is, shifted left by one and reduced). */
VECTOR static __m128i hash_key(const sl_gcm_key *key)
{
    uint64_t halves[2];
    _mm_storeu_si128((__m128i *)halves,
                     swapped(encrypt_block(key, key->rounds, _mm_setzero_si128())));
    uint64_t carry = 0 - (halves[1] >> 63);
    uint64_t high = halves[1] << 1 | halves[0] >> 63, low = halves[0] << 1;
    return _mm_set_epi64x((long long)(high ^ (carry & 0xC200000000000000ULL)),
                          (long long)(low ^ (carry & 1)));
}

VECTOR void sl_gcm_init(sl_gcm_key *key, const uint8_t *secret, size_t size)
{
    __m128i keys[SL_GCM_MAX_ROUND_KEYS] = {load(secret)};
    memset(key, 0, sizeof *key);
    key->rounds = size == 32 ? AES_256_ROUNDS : AES_128_ROUNDS;
    if (size == 32) {
        keys[1] = load(secret + 16);
        expand_256(keys);
    } else {
        expand_128(keys);
    }
    memcpy(key->round_keys, keys, sizeof key->round_keys);
    memset(keys, 0, sizeof keys);
    __asm__ volatile("" : : "r"(keys) : "memory"); /* the compiler must not leave that out */
    __m128i h = hash_key(key), raised = h;
    for (int at = SL_GCM_POWERS - 1; at >= 0; at--) {
        _mm_storeu_si128((__m128i *)key->powers[at], raised);
        raised = product_of(raised, h);
    }
}

/* Which of a vector's bytes are there where `size` are left from its start on. */
INLINE __mmask64 bytes_there(size_t size)
{
    return size >= VECTOR_SIZE ? ~(__mmask64)0 : ((__mmask64)1 << size) - 1;
}

INLINE __m128i hash_aad(const sl_gcm_key *key, const uint8_t *aad, size_t size)
{
    __m128i hash = _mm_setzero_si128();
    while (size > 0) {
        size_t now = size < VECTOR_SIZE ? size : VECTOR_SIZE;
        __m512i blocks = _mm512_maskz_loadu_epi8(bytes_there(now), aad);
        hash = hash_blocks(key, hash, &blocks, (now + BLOCK - 1) / BLOCK);
        aad += now;
        size -= now;
    }
    return hash;
}

/* The counter blocks of a stride; they count in their last four bytes. */
INLINE void take_counters(__m512i *counter, __m512i *blocks)
{
    const __m512i four = _mm512_set_epi32(0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4);
    for (int at = 0; at < STRIDE_VECTORS; at++) {
        blocks[at] = all_swapped(*counter);
        *counter = _mm512_add_epi32(*counter, four);
    }
}

/* Encrypts what is left after whole strides; the hash after it. */
INLINE __m128i seal_rest(const sl_gcm_key *key, __m512i *stream, __m128i hash, const uint8_t *in,
                         size_t size, uint8_t *out)
{
    size_t left = size;
    for (__m512i *blocks = stream; left > 0; blocks++) {
        size_t now = left < VECTOR_SIZE ? left : VECTOR_SIZE;
        __mmask64 there = bytes_there(now);
        __m512i text = _mm512_maskz_loadu_epi8(there, in);
        *blocks = _mm512_maskz_mov_epi8(there, _mm512_xor_si512(*blocks, text));
        _mm512_mask_storeu_epi8(out, there, *blocks);
        in += now;
        out += now;
        left -= now;
    }
    return hash_blocks(key, hash, stream, (size + BLOCK - 1) / BLOCK);
}

INLINE void seal(const sl_gcm_key *key, int rounds, const uint8_t *iv, const uint8_t *aad,
                 size_t aad_size, const uint8_t *in, size_t size, uint8_t *out, uint8_t *tag)
{
    uint8_t first[BLOCK] = {0};
    memcpy(first, iv, SL_GCM_IV_SIZE);
    first[BLOCK - 1] = 1;
    __m128i mask = encrypt_block(key, rounds, load(first));
    __m128i lengths = _mm_set_epi64x((long long)aad_size * 8, (long long)size * 8);
    __m512i counter = _mm512_add_epi32(
        _mm512_broadcast_i32x4(swapped(load(first))),
        _mm512_set_epi32(0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1));
    __m128i hash = hash_aad(key, aad, aad_size);
    __m512i blocks[STRIDE_VECTORS];
    for (; size >= STRIDE; size -= STRIDE, in += STRIDE, out += STRIDE) {
        take_counters(&counter, blocks);
        encrypt_stride(key, rounds, blocks);
        for (int at = 0; at < STRIDE_VECTORS; at++) {
            __m512i text = _mm512_loadu_si512(in + VECTOR_SIZE * at);
            blocks[at] = _mm512_xor_si512(blocks[at], text);
            _mm512_storeu_si512(out + VECTOR_SIZE * at, blocks[at]);
        }
        hash = hash_blocks(key, hash, blocks, SL_GCM_POWERS);
    }
    if (size > 0) {
        take_counters(&counter, blocks);
        encrypt_stride(key, rounds, blocks);
        hash = seal_rest(key, blocks, hash, in, size, out);
    }
    hash = product_of(_mm_xor_si128(hash, lengths), load(key->powers[SL_GCM_POWERS - 1]));
    _mm_storeu_si128((__m128i *)tag, _mm_xor_si128(swapped(hash), mask));
}

VECTOR void sl_gcm_seal(const sl_gcm_key *key, const uint8_t iv[SL_GCM_IV_SIZE], const uint8_t *aad,
                        size_t aad_size, const uint8_t *in, size_t size, uint8_t *out, uint8_t *tag)
{
    if (key->rounds == AES_128_ROUNDS)
        seal(key, AES_128_ROUNDS, iv, aad, aad_size, in, size, out, tag);
    else
        seal(key, AES_256_ROUNDS, iv, aad, aad_size, in, size, out, tag);
}

#else

bool sl_gcm_is_there(void)
{
    return false;
}

void sl_gcm_init(sl_gcm_key *key, const uint8_t *secret, size_t size)
{
    (void)secret, (void)size;
    memset(key, 0, sizeof *key);
}

void sl_gcm_seal(const sl_gcm_key *key, const uint8_t iv[SL_GCM_IV_SIZE], const uint8_t *aad,
                 size_t aad_size, const uint8_t *in, size_t size, uint8_t *out, uint8_t *tag)
{
    (void)key, (void)iv, (void)aad, (void)aad_size, (void)in, (void)size, (void)out, (void)tag;
}

#endif
