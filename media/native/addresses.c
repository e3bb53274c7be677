#include "addresses.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 (Aumasson, Bernstein 2012) of three words. */
static uint64_t hash_of(const uint64_t seed[2], const sl_address_key *key)
{
    const uint64_t words[] = {
        key->high, key->low, (uint64_t)key->ssrc << 32 | key->port_family, (uint64_t)24 << 56
    };
    uint64_t v[4] = {
        seed[0] ^ 0x736f6d6570736575,
        seed[1] ^ 0x646f72616e646f6d,
        seed[0] ^ 0x6c7967656e657261,
        seed[1] ^ 0x7465646279746573,
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        v[3] ^= words[i];
        sip_round(v);
        sip_round(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    for (int round = 0; round < 4; round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool sl_addresses_init(sl_addresses *table, const uint8_t *seed, size_t limit)
{
    memcpy(table->seed, seed, sizeof table->seed);
    table->slots = calloc(FIRST_SLOTS, sizeof *table->slots);
    table->mask = FIRST_SLOTS - 1;
    table->count = 0;
    table->limit = limit;
    return table->slots != NULL;
}

void sl_addresses_free(sl_addresses *table)
{
    free(table->slots);
    table->slots = NULL;
}

sl_address_key sl_address_key_of(const struct sockaddr *address)
{
    sl_address_key key = {0};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        key.low = v4.sin_addr.s_addr;
        key.port_family = (uint32_t)v4.sin_port << 16 | AF_INET;
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(&key.high, v6.sin6_addr.s6_addr, 8);
        memcpy(&key.low, v6.sin6_addr.s6_addr + 8, 8);
        key.port_family = (uint32_t)v6.sin6_port << 16 | AF_INET6;
    }
    return key;
}

bool sl_address_key_equal(const sl_address_key *one, const sl_address_key *other)
{
    return one->high == other->high && one->low == other->low &&
           one->port_family == other->port_family && one->ssrc == other->ssrc;
}

/* The slot of `key`, or the free one where it would be put. */
static size_t slot_of(const sl_addresses *table, const sl_address_key *key)
{
    size_t at = hash_of(table->seed, key) & table->mask;
    while (table->slots[at].owner && !sl_address_key_equal(&table->slots[at].key, key))
        at = (at + 1) & table->mask;
    return at;
}

void *sl_addresses_get(const sl_addresses *table, const sl_address_key *key)
{
    return table->slots[slot_of(table, key)].owner;
}

static bool grow(sl_addresses *table)
{
    size_t slots = 2 * (table->mask + 1);
    sl_addresses grown = *table;
    grown.mask = slots - 1;
    grown.slots = calloc(slots, sizeof *grown.slots);
    if (grown.slots == NULL)
        return false;
    for (size_t at = 0; at <= table->mask; at++)
        if (table->slots[at].owner)
            grown.slots[slot_of(&grown, &table->slots[at].key)] = table->slots[at];
    free(table->slots);
    *table = grown;
    return true;
}

bool sl_addresses_put(sl_addresses *table, const sl_address_key *key, void *owner)
{
    size_t at = slot_of(table, key);
    if (table->slots[at].owner == NULL) {
        if (table->count >= table->limit)
            return false;
        if (2 * (table->count + 1) > table->mask + 1) { /* at most half full: probes stay short */
            if (!grow(table))
                return false;
            at = slot_of(table, key);
        }
        table->count++;
    }
    table->slots[at] = (sl_address_slot){*key, owner};
    return true;
}

/* Linear probing: what follows the gap moves up, unless that would be before its own place. */
static void close_gap(sl_addresses *table, size_t gap)
{
    for (size_t at = (gap + 1) & table->mask; table->slots[at].owner; at = (at + 1) & table->mask) {
        size_t home = hash_of(table->seed, &table->slots[at].key) & table->mask;
        if (((at - home) & table->mask) >= ((at - gap) & table->mask)) {
            table->slots[gap] = table->slots[at];
            gap = at;
        }
    }
    table->slots[gap] = (sl_address_slot){0};
}

void sl_addresses_remove(sl_addresses *table, const sl_address_key *key, const void *owner)
{
    size_t at = slot_of(table, key);
    if (table->slots[at].owner == NULL || table->slots[at].owner != owner)
        return;
    table->count--;
    close_gap(table, at);
}
