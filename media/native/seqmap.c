#include "seqmap.h"

enum { NONE = -1 };

void sl_seqmap_init(sl_seqmap *map, uint16_t first, sl_seqmap_span *past)
{
    *map = (sl_seqmap){.first = first, .past = past};
}

/* Spans from the youngest to the oldest. */
static const sl_seqmap_span *span_at(const sl_seqmap *map, int age)
{
    int at = map->oldest_span + map->span_count - 1 - age;
    return &map->past[at % SL_SEQMAP_MAX_SPANS];
}

static void remember(sl_seqmap *map)
{
    if (map->span_count == SL_SEQMAP_MAX_SPANS)
        map->oldest_span = (map->oldest_span + 1) % SL_SEQMAP_MAX_SPANS;
    else
        map->span_count++;
    map->past[(map->oldest_span + map->span_count - 1) % SL_SEQMAP_MAX_SPANS] =
        (sl_seqmap_span){map->start, map->next, map->shift};
}

int64_t sl_seqmap_map(sl_seqmap *map, int64_t source)
{
    if (source >= map->next) {
        if (!map->started)
            sl_seqmap_skip_to(map, source);
        map->next = source + 1;
        return source - map->shift;
    }
    if (source >= map->start)
        return source - map->shift;
    for (int age = 0; age < map->span_count; age++) {
        const sl_seqmap_span *span = span_at(map, age);
        if (source >= span->start)
            return source < span->end ? source - span->shift : NONE;
    }
    return NONE;
}

void sl_seqmap_skip_to(sl_seqmap *map, int64_t source)
{
    if (!map->started) {
        map->started = true;
        map->shift = source - map->first;
    } else if (source <= map->next) {
        return; /* a number as high was given away already */
    } else {
        if (map->next > map->start)
            remember(map);
        map->shift += source - map->next;
    }
    map->start = map->next = source;
}

int64_t sl_seqmap_source(const sl_seqmap *map, int64_t outgoing)
{
    if (!map->started || outgoing >= sl_seqmap_next_outgoing(map))
        return NONE;
    if (outgoing >= map->start - map->shift)
        return outgoing + map->shift;
    for (int age = 0; age < map->span_count; age++) {
        const sl_seqmap_span *span = span_at(map, age);
        if (outgoing >= span->start - span->shift)
            return outgoing + span->shift;
    }
    return NONE;
}
