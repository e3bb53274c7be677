#include "cache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 64,
    FIRST_RING = 64 * 1024,
    SLACK_PER_PACKET = 64, /* beside its payload: entry header, extensions */
    RING_SLACK = 256 * 1024,
};

static const uint64_t NO_PLACE = UINT64_MAX;

struct sl_cache_slot {
    double since;
    uint64_t place; /* of its entry in the ring; NO_PLACE where memory was short */
    uint32_t timestamp;
    uint16_t payload_size;
    uint8_t marker, keyframe;
    bool is_held;
};

/* In the ring, in front of payload and extensions. */
typedef struct {
    int64_t sequence;
    uint32_t size; /* of the whole entry; sequence is NO_SEQUENCE in the gap at the ring's end */
    uint8_t kind, extension_count;
} entry_header;

enum { NO_SEQUENCE = -1, ALIGNMENT = sizeof(entry_header) };

static uint64_t power_of_two(uint64_t at_least, uint64_t from)
{
    while (from < at_least)
        from *= 2;
    return from;
}

void sl_cache_init(sl_cache *cache, size_t max_packets, size_t max_bytes, double max_age_s)
{
    /* Packets that come late leave holes where they are forgotten: twice the bytes is ample. */
    uint64_t most = 2 * (uint64_t)max_bytes + (uint64_t)max_packets * SLACK_PER_PACKET + RING_SLACK;
    *cache = (sl_cache){
        .max_packets = (int64_t)max_packets,
        .max_bytes = max_bytes,
        .max_age_s = max_age_s,
        .added_at = -INFINITY,
        .ring_max = power_of_two(most, FIRST_RING),
    };
}

void sl_cache_clear(sl_cache *cache)
{
    free(cache->slots);
    free(cache->ring);
    cache->slots = NULL;
    cache->ring = NULL;
}

/* ---- slots ---- */

static sl_cache_slot *slot_of(const sl_cache *cache, int64_t sequence)
{
    return &cache->slots[sequence & (cache->slot_count - 1)];
}

static sl_cache_slot *held_at(const sl_cache *cache, int64_t sequence)
{
    if (sequence < cache->oldest || sequence >= cache->end || cache->slot_count == 0)
        return NULL;
    sl_cache_slot *slot = slot_of(cache, sequence);
    return slot->is_held ? slot : NULL;
}

static void forget_until(sl_cache *cache, int64_t sequence)
{
    for (; cache->oldest < sequence; cache->oldest++) {
        sl_cache_slot *slot = held_at(cache, cache->oldest);
        if (slot != NULL) {
            cache->bytes -= slot->payload_size;
            slot->is_held = false;
        }
    }
}

static bool is_expired(const sl_cache *cache, const sl_cache_slot *slot)
{
    return slot->since < cache->added_at - cache->max_age_s;
}

/* Makes slots for `count` numbers from `oldest` on. */
static bool hold_numbers(sl_cache *cache, int64_t count)
{
    if (count <= cache->slot_count)
        return true;
    int64_t slot_count = (int64_t)power_of_two((uint64_t)count, FIRST_SLOTS);
    sl_cache_slot *slots = calloc((size_t)slot_count, sizeof *slots);
    if (slots == NULL)
        return false;
    for (int64_t sequence = cache->oldest; sequence < cache->end; sequence++) {
        sl_cache_slot *slot = held_at(cache, sequence);
        if (slot != NULL)
            slots[sequence & (slot_count - 1)] = *slot;
    }
    free(cache->slots);
    cache->slots = slots;
    cache->slot_count = slot_count;
    return true;
}

/* ---- the ring of bytes ---- */

static entry_header *entry_at(const sl_cache *cache, uint64_t place)
{
    return (entry_header *)(cache->ring + (place & (cache->ring_size - 1)));
}

/* The slot that an entry belongs to; NULL once its packet was forgotten. */
static sl_cache_slot *owner(const sl_cache *cache, const entry_header *entry, uint64_t place)
{
    sl_cache_slot *slot = held_at(cache, entry->sequence);
    return slot != NULL && slot->place == place ? slot : NULL;
}

/* Whether the oldest entry may still be asked for. */
static bool is_tail_wanted(const sl_cache *cache)
{
    const sl_cache_slot *slot = owner(cache, entry_at(cache, cache->tail), cache->tail);
    return slot != NULL && !is_expired(cache, slot);
}

static void free_tail(sl_cache *cache)
{
    const entry_header *entry = entry_at(cache, cache->tail);
    sl_cache_slot *slot = owner(cache, entry, cache->tail);
    if (slot != NULL)
        slot->place = NO_PLACE;
    cache->tail += entry->size;
}

/* Bytes to the ring's end where an entry would not fit there in one piece, else 0. */
static uint64_t gap_before(const sl_cache *cache, uint64_t size)
{
    uint64_t left = cache->ring_size - (cache->head & (cache->ring_size - 1));
    return left < size ? left : 0;
}

static bool fits(const sl_cache *cache, uint64_t size)
{
    uint64_t used = cache->head - cache->tail;
    return cache->ring_size > 0 && size + gap_before(cache, size) <= cache->ring_size - used;
}

static uint64_t take_place(sl_cache *cache, uint64_t size)
{
    uint64_t gap = gap_before(cache, size);
    if (gap > 0) {
        *entry_at(cache, cache->head) = (entry_header){NO_SEQUENCE, (uint32_t)gap, 0, 0};
        cache->head += gap;
    }
    uint64_t place = cache->head;
    cache->head += size;
    return place;
}

/* Doubles the ring and moves what may still be asked for. */
static bool grow_ring(sl_cache *cache)
{
    uint64_t size = cache->ring_size ? 2 * cache->ring_size : FIRST_RING;
    uint8_t *ring = size <= cache->ring_max ? malloc(size) : NULL;
    if (ring == NULL)
        return false;
    uint64_t at = 0;
    for (uint64_t place = cache->tail; place < cache->head;) {
        const entry_header *entry = entry_at(cache, place);
        sl_cache_slot *slot = owner(cache, entry, place);
        if (slot != NULL && !is_expired(cache, slot)) {
            memcpy(ring + at, entry, entry->size);
            slot->place = at;
            at += entry->size;
        } else if (slot != NULL) {
            slot->place = NO_PLACE;
        }
        place += entry->size;
    }
    free(cache->ring);
    cache->ring = ring;
    cache->ring_size = size;
    cache->tail = 0;
    cache->head = at;
    return true;
}

static bool make_room(sl_cache *cache, uint64_t size)
{
    while (cache->tail < cache->head && !is_tail_wanted(cache))
        free_tail(cache);
    while (!fits(cache, size)) {
        if (grow_ring(cache))
            continue;
        if (cache->tail == cache->head)
            return false;
        free_tail(cache);
    }
    return true;
}

static uint64_t entry_size(const sl_packet *packet)
{
    uint64_t size = sizeof(entry_header) + packet->payload_size;
    for (int at = 0; at < packet->extension_count; at++)
        size += 2u + packet->extensions[at].size;
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void write_entry(sl_cache *cache, uint64_t place, uint64_t size, const sl_packet *packet)
{
    entry_header *entry = entry_at(cache, place);
    *entry = (entry_header){packet->sequence, (uint32_t)size, packet->kind,
                            packet->extension_count};
    uint8_t *at = (uint8_t *)(entry + 1);
    if (packet->payload_size > 0)
        memcpy(at, packet->payload, packet->payload_size);
    at += packet->payload_size;
    for (int number = 0; number < packet->extension_count; number++) {
        const sl_extension *extension = &packet->extensions[number];
        *at++ = extension->number;
        *at++ = extension->size;
        if (extension->size > 0)
            memcpy(at, extension->value, extension->size);
        at += extension->size;
    }
}

/* ---- packets ---- */

static void keep(sl_cache *cache, const sl_packet *packet, double now)
{
    sl_cache_slot *slot = slot_of(cache, packet->sequence);
    *slot = (sl_cache_slot){
        .since = now,
        .place = NO_PLACE,
        .timestamp = packet->timestamp,
        .payload_size = packet->payload_size,
        .marker = packet->marker,
        .keyframe = packet->keyframe,
        .is_held = true,
    };
    cache->added_at = now;
    cache->bytes += packet->payload_size;
    while (cache->bytes > cache->max_bytes)
        forget_until(cache, cache->oldest + 1);
    uint64_t size = entry_size(packet);
    if (slot->is_held && make_room(cache, size)) {
        slot->place = take_place(cache, size);
        write_entry(cache, slot->place, size, packet);
    }
}

bool sl_cache_add(sl_cache *cache, const sl_packet *packet, double now)
{
    int64_t sequence = packet->sequence;
    if (sequence >= cache->end + cache->max_packets) {
        forget_until(cache, cache->end);
        cache->oldest = sequence + 1 - cache->max_packets;
        cache->end = sequence;
    }
    if (sequence < cache->oldest || held_at(cache, sequence) != NULL)
        return false;
    int64_t end = sequence + 1 > cache->end ? sequence + 1 : cache->end;
    forget_until(cache, end - cache->max_packets);
    if (!hold_numbers(cache, end - cache->oldest))
        return false;
    cache->end = end;
    keep(cache, packet, now);
    return true;
}

bool sl_cache_get(const sl_cache *cache, int64_t sequence, sl_packet *packet)
{
    const sl_cache_slot *slot = held_at(cache, sequence);
    if (slot == NULL || slot->place == NO_PLACE || is_expired(cache, slot))
        return false;
    const entry_header *entry = entry_at(cache, slot->place);
    *packet = (sl_packet){
        .sequence = sequence,
        .timestamp = slot->timestamp,
        .kind = entry->kind,
        .marker = slot->marker,
        .keyframe = slot->keyframe,
        .extension_count = entry->extension_count,
        .payload_size = slot->payload_size,
        .payload = (const uint8_t *)(entry + 1),
    };
    const uint8_t *at = packet->payload + packet->payload_size;
    for (int number = 0; number < entry->extension_count; number++) {
        packet->extensions[number] = (sl_extension){at[0], at[1], at + 2};
        at += 2 + at[1];
    }
    return true;
}
