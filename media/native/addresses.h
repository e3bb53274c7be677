/* Who is at an address: a hash table of IPv4 and IPv6 addresses with ports.
 *
 * Several may share one, each told by the SSRCs of what it sends: all feeds between two workers go
 * from one port to another.
 *
 * Looking up allocates nothing. The hash is keyed with a seed that nobody outside knows, so that
 * chosen addresses can't pile up in one place (SipHash-2-4). */
#ifndef SL_ADDRESSES_H
#define SL_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { SL_ADDRESSES_SEED = 16 };

/* What of a socket address tells peers apart; the scope of a link-local address does not. */
typedef struct {
    uint64_t high, low; /* IPv4: low alone */
    uint32_t port_family;
    uint32_t ssrc; /* 0: whatever comes from there */
} sl_address_key;

typedef struct {
    sl_address_key key;
    void *owner; /* NULL: free */
} sl_address_slot;

typedef struct {
    uint64_t seed[2];
    sl_address_slot *slots;
    size_t mask; /* slots - 1, a power of two less one */
    size_t count, limit;
} sl_addresses;

/* False: no memory. `limit` entries at most. */
bool sl_addresses_init(sl_addresses *table, const uint8_t *seed, size_t limit);
void sl_addresses_free(sl_addresses *table);

/* With the SSRC 0. */
sl_address_key sl_address_key_of(const struct sockaddr *address);
bool sl_address_key_equal(const sl_address_key *one, const sl_address_key *other);

/* The owner of an address, or NULL. */
void *sl_addresses_get(const sl_addresses *table, const sl_address_key *key);

/* Gives an address to `owner`, whoever had it; false when the table is full or has no memory. */
bool sl_addresses_put(sl_addresses *table, const sl_address_key *key, void *owner);

/* Frees an address if it is `owner`'s. */
void sl_addresses_remove(sl_addresses *table, const sl_address_key *key, const void *owner);

#endif
